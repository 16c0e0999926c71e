// One transfer: how far it is and how fast, who moves it over how many connections, and what can be done about it.

import { programOf } from "../agents.js";
import { post, remove } from "../api.js";
import { attempt } from "../dialog.js";
import { h, icon, iconButton, setIcon } from "../dom.js";
import { duration, exactly, size, speed } from "../format.js";
import { Graph } from "../graph.js";
import { t } from "../text.js";

const me = document.body.dataset.user;

export class TransferCard {
  #id;
  #paused = false;
  #graph = new Graph();
  #figures = h("p", { class: "number" });
  #about = h("p", { class: "faint" });
  #bar;
  #turn;

  constructor({ id, direction, name, size: whole }) {
    this.#id = id;
    const arrow = direction === "upload" ? "upload" : "download";
    this.#bar = h("progress", { max: Math.max(1, whole), value: 0, "aria-label": name });
    this.#turn = direction === "download" && iconButton("pause", "", () => this.#pauseOrResume());
    this.element = h(
      "li",
      { class: "card transfer", data: { direction } },
      icon(arrow),
      h(
        "div",
        { class: "what" },
        h("h2", { class: "title", title: name }, name),
        this.#figures,
        this.#bar,
        this.#about,
      ),
      this.#graph.element,
      h(
        "div",
        { class: "acts" },
        this.#turn,
        iconButton("close", t("transfer.cancel", { name }), () => this.#cancel()),
      ),
    );
  }

  show(item) {
    this.#paused = item.state === "paused";
    this.element.dataset.state = item.state;
    this.#bar.value = Math.min(item.bytes, item.size);
    this.#figures.textContent = figuresOf(item);
    this.#about.textContent = aboutOf(item);
    this.#about.title = `${item.client.agent}\n${t("transfer.since", { time: exactly(item.started_at) })}`;
    this.#graph.add(item.state === "running" ? item.speed : 0);
    if (!this.#turn) return;
    const label = t(this.#paused ? "transfer.resume" : "transfer.pause", { name: item.name });
    this.#turn.hidden = item.state === "waiting";
    setIcon(this.#turn.firstChild, this.#paused ? "play" : "pause");
    this.#turn.title = label;
    this.#turn.setAttribute("aria-label", label);
  }

  #pauseOrResume() {
    return this.#act(() => post(`/api/v1/transfers/${this.#id}/${this.#paused ? "resume" : "pause"}`));
  }

  #cancel() {
    return this.#act(() => remove(`/api/v1/transfers/${this.#id}`));
  }

  async #act(act) {
    await attempt(act);
    this.element.dispatchEvent(new Event("acted", { bubbles: true }));
  }
}

function figuresOf({ direction, state, bytes, size: whole, speed: rate, eta, place, expected_wait: wait }) {
  if (state === "waiting")
    return [t("ticket.place", { n: place }), wait !== null && t("ticket.wait", { time: duration(wait) })]
      .filter(Boolean)
      .join(" · ");
  const moved = t("uploads.of", { sent: size(bytes), size: size(whole) });
  if (state === "paused") return `${moved} · ${t("upload.paused")}`;
  const left = direction === "upload" ? rate > 0 && (whole - bytes) / rate : eta; // a part's end is not the file's
  return [
    moved,
    rate > 0 && speed(rate),
    left !== null && left !== false && t("uploads.left", { time: duration(left) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

function aboutOf({ user, client, connections }) {
  return [
    user !== me && user,
    programOf(client.agent),
    client.address,
    connections > 0 && t("transfer.connections", { n: connections }),
  ]
    .filter(Boolean)
    .join(" · ");
}
