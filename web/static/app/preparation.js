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
  #said = h("p", { class: "number", role: "status" });
  #bar = h("progress", { max: 1 });
  #acts = h("div", { class: "buttons" });
  element = h("div", { class: "preparation stack" }, this.#said, this.#bar, this.#acts);

  // Ask for it; who has asked before joins. Raises what `begin` raises.
  async start() {
    this.show(await this.#begin());
  }

  // How it stands, from now on by itself.
  show(job) {
    clearTimeout(this.#timer);
    const { status } = job;
    this.element.dataset.status = status;
    this.#said.textContent = this.#words(job);
    this.#bar.hidden = OVER.has(status);
    if (status === "processing") this.#bar.value = job.total ? job.done / job.total : 0;
    else this.#bar.removeAttribute("value"); // which shows that something goes on
    this.#acts.replaceChildren(...this.#actsOf(job));
    if (!OVER.has(status) && !this.#left) this.#timer = setTimeout(() => this.#again(job), document.hidden ? HIDDEN_EVERY : EVERY);
  }

  // Look no more; the job goes on.
  leave() {
    this.#left = true;
    clearTimeout(this.#timer);
  }

  async #again(job) {
    const found = await this.#look(job.job_id).catch(() => null);
    if (this.#left) return;
    this.show(found ?? job);
    if (!found) this.#said.textContent = this.#t("prepare.offline");
  }

  #words({ status, step, done, total, speed: rate, seconds_left: left, expires_at: end, size: whole, error }) {
    const t = this.#t;
    if (status === "queued") return [t("prepare.waiting"), error].filter(Boolean).join(" · ");
    if (status === "cancelled") return t("prepare.cancelled");
    if (status === "failed") return error ?? t("prepare.failed");
    const parts = status === "ready"
      ? [t("prepare.ready", { size: size(whole ?? total) }), end && t("prepare.until", { time: moment(end) })]
      : [t(step === "moving" ? "prepare.moving" : "prepare.of", { done: size(done), total: size(total) }), rate > 0 && speed(rate),
        left !== null && left !== undefined && t("prepare.left", { time: duration(left) })];
    return parts.filter(Boolean).join(" · ");
  }

  #actsOf({ job_id: id, status, download_url: url }) {
    const t = this.#t;
    if (status === "ready") return [h("a", { class: "button", href: url, download: true }, icon("download"), t("download"))];
    if (OVER.has(status)) return [button(t("prepare.again"), () => this.start())];
    return this.#cancel ? [button(t("prepare.cancel"), async () => { await this.#cancel(id); this.#again({ job_id: id }); })] : [];
  }
}

function button(label, act) {
  const element = h("button", { type: "button", class: "quiet", onclick: async () => {
    element.disabled = true;
    await act().catch(() => {});
    element.disabled = false;
  } }, label);
  return element;
}
