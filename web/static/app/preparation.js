// A ZIP that the server makes beforehand: how far it is, and the way to it. Knows neither the application nor a share.

import { h, icon } from "./dom.js";
import { duration, moment, size, speed } from "./format.js";

const EVERY = 1000; // milliseconds between two looks
const HIDDEN_EVERY = 8000; // the same while nobody looks
const OVER = new Set(["ready", "failed", "cancelled"]);

export class Preparation {
  // `t` tells texts (words/prepare.js); `begin()` asks for the ZIP and `look(id)` how it stands: both give the job's document;
  // `cancel(id)`, where that is allowed.
  constructor({ t, begin, look, cancel = null }) {
    [this.#t, this.#begin, this.#look, this.#cancel] = [t, begin, look, cancel];
    this.#bar.setAttribute("aria-label", t("prepare.progress"));
  }

  #t;
  #begin;
  #look;
  #cancel;
  #timer = 0;
  #left = false;
  #acting = ""; // what the buttons are for
  #said = h("span", { role: "status" }); // written when there is something new to say, and read aloud then
  #figures = h("span");
  #bar = h("progress", { max: 1 });
  #acts = h("div", { class: "buttons" });
  element = h("div", { class: "preparation stack" },
    h("p", { class: "number" }, this.#said, this.#figures), this.#bar, this.#acts);

  // Ask for it; who has asked before joins. Raises what `begin` raises.
  async start() {
    this.show(await this.#begin());
  }

  // How it stands, from now on by itself.
  show(job) {
    const { status } = job;
    this.element.dataset.status = status;
    this.#say(this.#words(job));
    this.#figures.textContent = status === "processing" ? ` · ${this.#figuresOf(job)}` : "";
    this.#bar.hidden = OVER.has(status);
    if (status === "processing") this.#bar.value = job.total ? job.done / job.total : 0;
    else this.#bar.removeAttribute("value"); // which shows that something goes on
    this.#offer(job);
    this.#lookSoon(job);
  }

  // Look no more; the job goes on.
  leave() {
    this.#left = true;
    clearTimeout(this.#timer);
  }

  #lookSoon(job) {
    clearTimeout(this.#timer);
    if (OVER.has(job.status) || this.#left) return;
    this.#timer = setTimeout(() => this.#again(job), document.hidden ? HIDDEN_EVERY : EVERY);
  }

  async #again(job) {
    const found = await this.#look(job.job_id).catch(() => null);
    if (this.#left) return;
    if (found) {
      this.show(found);
      return;
    }
    this.#say(this.#t("prepare.offline"));
    this.#lookSoon(job);
  }

  #say(text) {
    if (this.#said.textContent !== text) this.#said.textContent = text;
  }

  #words({ status, step, total, expires_at: end, size: whole, error }) {
    const t = this.#t;
    if (status === "queued") return [t("prepare.waiting"), error].filter(Boolean).join(" · ");
    if (status === "cancelled") return t("prepare.cancelled");
    if (status === "failed") return error ?? t("prepare.failed");
    if (status === "processing") return t(step === "moving" ? "prepare.moving" : "prepare.making");
    const until = end && t("prepare.until", { time: moment(end) });
    return [t("prepare.ready", { size: size(whole ?? total) }), until].filter(Boolean).join(" · ");
  }

  #figuresOf({ done, total, speed: rate, seconds_left: left }) {
    return [
      this.#t("prepare.of", { done: size(done), total: size(total) }), rate > 0 && speed(rate),
      left !== null && left !== undefined && this.#t("prepare.left", { time: duration(left) }),
    ].filter(Boolean).join(" · ");
  }

  // Buttons stay for as long as they do the same, with the focus and a press that has begun; a new one inherits the focus.
  #offer(job) {
    const acting = [job.job_id, job.status, job.download_url].join();
    if (acting === this.#acting) return;
    const focused = this.#acts.contains(document.activeElement);
    this.#acting = acting;
    this.#acts.replaceChildren(...this.#actsOf(job));
    if (focused) this.#acts.firstElementChild?.focus();
  }

  #actsOf(job) {
    const t = this.#t;
    const { status, download_url: url } = job;
    if (status === "ready") return [h("a", { class: "button", href: url, download: true }, icon("download"), t("download"))];
    if (OVER.has(status)) return [this.#button(t("prepare.again"), () => this.start())];
    const cancel = () => this.#cancel(job.job_id).then(() => this.#again(job));
    return this.#cancel ? [this.#button(t("prepare.cancel"), cancel)] : [];
  }

  // One press at a time. A disabled button would lose the focus.
  #button(label, act) {
    let acting = false;
    const press = async () => {
      if (acting) return;
      acting = true;
      await act().catch((error) => this.#say(error.message));
      acting = false;
    };
    return h("button", { type: "button", class: "quiet", onclick: press }, label);
  }
}
