// One upload of this very page: it knows what the server cannot see yet, and can be paused.

import { h, icon, iconButton, setIcon } from "../dom.js";
import { duration, size, speed } from "../format.js";
import { called } from "../files/row.js";
import { Graph } from "../graph.js";
import { Meter } from "../meter.js";
import { t } from "../text.js";
import { cancel, pause, resume } from "../uploads/start.js";

export class OwnCard {
  #item;
  #meter = new Meter();
  #graph = new Graph();
  #figures = h("p", { class: "number" });
  #bar;
  #turn = iconButton("pause", "", () => (this.#resting ? resume : pause)(this.#item));

  constructor(item) {
    this.#item = item;
    this.#bar = h("progress", { max: Math.max(1, item.size), value: 0, "aria-label": item.name });
    this.element = h(
      "li",
      { class: "card transfer", data: { direction: "upload" } },
      icon("upload"),
      h(
        "div",
        { class: "what" },
        h("h2", { class: "title", title: item.path }, item.name),
        this.#figures,
        this.#bar,
        h("p", { class: "faint" }, t("transfer.here", { folder: called(item.folder) })),
      ),
      this.#graph.element,
      h(
        "div",
        { class: "acts" },
        this.#turn,
        iconButton("close", t("transfer.cancel", { name: item.name }), () => cancel(item)),
      ),
    );
  }

  get #resting() {
    return this.#item.state === "paused" || this.#item.state === "failed";
  }

  show({ state, sent, moved, name, size: whole, failure }) {
    this.#meter.note(moved);
    const rate = state === "sending" ? this.#meter.rate() : 0;
    const label = t(this.#resting ? "transfer.resume" : "transfer.pause", { name });
    this.element.dataset.state = state;
    this.#bar.value = sent;
    this.#figures.textContent = failure?.message ?? figuresOf(state, sent, whole, rate);
    this.#graph.add(rate);
    this.#turn.hidden = state === "asking";
    setIcon(this.#turn.firstChild, this.#resting ? "play" : "pause");
    this.#turn.title = label;
    this.#turn.setAttribute("aria-label", label);
  }
}

function figuresOf(state, sent, whole, rate) {
  if (state === "asking") return t("upload.asking");
  if (state === "sending" && sent === whole) return t("upload.storing");
  return [
    t("uploads.of", { sent: size(sent), size: size(whole) }),
    state === "paused" && t("upload.paused"),
    rate > 0 && speed(rate),
    rate > 0 && t("uploads.left", { time: duration((whole - sent) / rate) }),
  ]
    .filter(Boolean)
    .join(" · ");
}
