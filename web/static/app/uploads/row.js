// One upload in the panel: its name, how it stands, and what can be done with it.

import { h, icon, iconButton, setIcon } from "../dom.js";
import { size } from "../format.js";
import { t } from "../text.js";
import { OVER } from "./sending.js";

const RESTING = new Set(["waiting", "asking", "failed"]);
const PICTURES = { done: "check", failed: "warning", skipped: "check" };

export class UploadRow {
  #item;
  #queue;
  #picture = icon("upload");
  #name = h("span", { class: "title" });
  #state = h("small", { class: "number" });
  #bar;
  #turn;
  #drop;

  constructor(item, queue) {
    this.#item = item;
    this.#queue = queue;
    this.#bar = h("progress", { max: Math.max(1, item.size), value: 0, "aria-label": item.name });
    this.#turn = iconButton("pause", "", () => this.#pauseOrResume());
    this.#drop = iconButton("close", t("uploads.cancel", { name: item.name }), () => queue.cancel(item));
    this.element = h(
      "li",
      {},
      this.#picture,
      h("div", { class: "what" }, this.#name, this.#state, this.#bar),
      this.#turn,
      this.#drop,
    );
  }

  show() {
    const { state, name, path, size: whole, sent, looked } = this.#item;
    this.element.dataset.state = state;
    this.#name.textContent = name;
    this.#name.title = path;
    this.#state.textContent = stateOf(this.#item);
    setIcon(this.#picture, PICTURES[state] ?? "upload");
    this.#bar.hidden = OVER.has(state) || RESTING.has(state);
    this.#bar.value = state === "looking" ? looked : whole ? sent : 0;
    this.#showTurn(state);
    this.#drop.hidden = OVER.has(state);
  }

  #showTurn(state) {
    const [picture, label] = { failed: ["restore", "uploads.retry"], paused: ["play", "uploads.resume"] }[state] ?? [
      "pause",
      "uploads.pause",
    ];
    this.#turn.hidden = OVER.has(state) || state === "asking";
    setIcon(this.#turn.firstChild, picture);
    this.#turn.title = t(label, { name: this.#item.name });
    this.#turn.setAttribute("aria-label", this.#turn.title);
  }

  #pauseOrResume() {
    const { state } = this.#item;
    if (state === "paused" || state === "failed") this.#queue.resume(this.#item);
    else this.#queue.pause(this.#item);
  }
}

function stateOf({ state, failure, size: whole, sent, looked }) {
  const percent = (part) => (whole ? Math.floor((100 * part) / whole) : 0);
  switch (state) {
    case "failed":
      return failure.message;
    case "looking":
      return looked ? t("upload.looking", { percent: percent(looked) }) : t("upload.beginning");
    case "sending":
      return sent < whole
        ? t("upload.sending", { sent: size(sent), size: size(whole), percent: percent(sent) })
        : t("upload.storing");
    case "done":
      return size(whole);
    default:
      return t(`upload.${state}`, { size: size(whole) });
  }
}
