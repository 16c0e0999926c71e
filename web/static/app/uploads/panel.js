// The docked panel of the uploads: how far all of them are, and a row for each that says something.

import { confirm } from "../dialog.js";
import { h, iconButton, setIcon } from "../dom.js";
import { duration, size, speed } from "../format.js";
import { t } from "../text.js";
import { UploadRow } from "./row.js";
import { OVER } from "./sending.js";

const FRAME = 250; // milliseconds between two looks at the queue
const NARROW = "(max-width: 47.999rem)"; // as in app.css: there it begins folded, or it would hide the files
const ROWS = 100; // at most; those that say most come first
const RANK = ["asking", "sending", "looking", "failed", "paused", "waiting", "skipped", "done"];

export class Panel {
  constructor(queue) {
    this.queue = queue;
    this.element = h(
      "section",
      { class: "uploads", "aria-label": t("uploads.title"), hidden: true },
      h("header", {}, this.#title, this.#pause, this.#fold, this.#close, this.#detail),
      this.#bar,
      this.#body,
    );
    this.#body.append(this.#list, this.#more);
    queue.addEventListener("change", () => this.#settle());
    if (matchMedia(NARROW).matches) this.#toggle();
  }

  #title = h("h2", {});
  #detail = h("p", { class: "faint number" });
  #bar = h("progress", { max: 1, value: 0, "aria-label": t("uploads.all") });
  #body = h("div", { class: "body" });
  #list = h("ul", { class: "plain" });
  #more = h("p", { class: "faint more" });
  #pause = iconButton("pause", t("uploads.pause-all"), () => this.#pauseOrResume());
  #fold = iconButton("down", t("uploads.fold"), () => this.#toggle(), {
    "aria-expanded": "true",
    class: "icon-button fold",
  });
  #close = iconButton("close", t("close"), () => this.#leave());
  #rows = new Map(); // Sending -> UploadRow
  #timer = 0;

  // Changes come by the hundred; eyes want four a second.
  #settle() {
    this.element.hidden = !this.queue.items.length;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#show();
    }, FRAME);
  }

  #show() {
    const { queue } = this;
    const figures = queue.figures;
    this.element.hidden = !queue.items.length;
    this.#title.textContent = titleOf(figures, queue.busy);
    this.#detail.textContent = detailOf(figures);
    this.#bar.max = Math.max(1, figures.size);
    this.#bar.value = figures.size ? figures.sent : Number(!queue.busy);
    this.#showPause(queue.busy, figures);
    this.#showRows();
    if (queue.busy) this.#settle(); // speed and time left go on without a change
  }

  #showPause(busy, { paused, failed }) {
    this.#pause.hidden = !busy && !paused && !failed;
    const label = busy ? t("uploads.pause-all") : t("uploads.resume-all");
    setIcon(this.#pause.firstChild, busy ? "pause" : "play");
    this.#pause.title = label;
    this.#pause.setAttribute("aria-label", label);
  }

  #showRows() {
    const shown = [...this.queue.items].sort((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state)).slice(0, ROWS);
    const kept = new Set(shown);
    for (const [item, row] of this.#rows) {
      if (!kept.has(item)) {
        row.element.remove();
        this.#rows.delete(item);
      }
    }
    for (const [index, item] of shown.entries()) {
      const row = this.#rows.get(item) ?? new UploadRow(item, this.queue);
      this.#rows.set(item, row);
      row.show();
      if (this.#list.children[index] !== row.element && !row.element.contains(document.activeElement)) {
        this.#list.insertBefore(row.element, this.#list.children[index] ?? null);
      }
    }
    const rest = this.queue.items.length - shown.length;
    this.#more.hidden = rest <= 0;
    this.#more.textContent = t("uploads.more", { n: rest });
  }

  #pauseOrResume() {
    if (this.queue.busy) this.queue.pauseAll();
    else this.queue.resumeAll();
  }

  #toggle() {
    const folded = this.element.classList.toggle("folded");
    this.#fold.setAttribute("aria-expanded", String(!folded));
    this.#body.hidden = folded;
  }

  async #leave() {
    const open = this.queue.items.filter(({ state }) => !OVER.has(state)).length;
    if (
      open &&
      !(await confirm({
        title: t("uploads.cancel.title", { n: open }),
        detail: t("uploads.cancel.detail"),
        yes: t("uploads.cancel.yes"),
        danger: true,
      }))
    )
      return;
    this.queue.cancelAll();
    this.queue.clear();
  }
}

function titleOf({ running, waiting, paused, failed, done, skipped }, busy) {
  const all = running + waiting + paused + failed + done;
  if (busy) return t("uploads.going", { n: all, done });
  if (paused) return t("uploads.resting", { n: paused });
  return outcomeOf({ failed, done, skipped });
}

// What became of all of them, in a sentence.
export function outcomeOf({ failed, done, skipped }) {
  if (failed) return t("uploads.some-failed", { n: failed });
  return done ? t("uploads.stored", { n: done }) : t("uploads.nothing", { n: skipped });
}

function detailOf({ sent, size: whole, speed: rate, left, failed, paused, running }) {
  const parts = [sent < whole ? t("uploads.of", { sent: size(sent), size: size(whole) }) : size(whole)];
  if (rate) parts.push(speed(rate));
  if (left && running) parts.push(t("uploads.left", { time: duration(left) }));
  if (failed) parts.push(t("uploads.failed", { n: failed }));
  if (paused && running) parts.push(t("uploads.paused", { n: paused }));
  return parts.join(" · ");
}
