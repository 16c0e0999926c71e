// The Transfers view: every upload and download that runs, those that wait in line, and what was moved in all.

import { get } from "../api.js";
import { attempt } from "../dialog.js";
import { h, icon } from "../dom.js";
import { size } from "../format.js";
import { t } from "../text.js";
import { underWay } from "../uploads/start.js";
import { TransferCard } from "./card.js";
import { tickets } from "./line.js";
import { OwnCard } from "./own.js";
import { TicketCard } from "./ticket.js";
import { Zips } from "./zips.js";

const EVERY = 1000; // milliseconds between two looks
const HIDDEN_EVERY = 10_000; // the same while nobody looks

export function show(root, _params, leaving) {
  const view = new TransfersView(root);
  leaving.addEventListener("abort", () => view.end());
  view.look();
}

class TransfersView {
  #cards = new Map(); // id -> TransferCard
  #waiting = new Map(); // Ticket -> TicketCard
  #own = new Map(); // Sending -> OwnCard
  #list = h("ul", { class: "cards" });
  #totals = h("p", { class: "faint number" });
  #empty = h(
    "div",
    { class: "empty", hidden: true },
    icon("transfers"),
    h("h2", {}, t("transfers.empty")),
    h("p", {}, t("transfers.empty.hint")),
  );
  #zips = new Zips();
  #zipsThere;
  #timer = 0;
  #stop = new AbortController();

  constructor(root) {
    root.append(
      h("div", { class: "bar" }, h("h1", {}, t("view.transfers")), this.#totals),
      h("div", { class: "page", tabindex: 0 }, this.#list, this.#zips.element, this.#empty),
    );
    this.#list.addEventListener("acted", () => this.look());
    this.#zipsThere = this.#zips.look();
  }

  async look() {
    clearTimeout(this.#timer);
    const answer = await attempt(() => get("/api/v1/transfers", { signal: this.#stop.signal }));
    await this.#zipsThere; // or it would say for a second that there is nothing
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), document.hidden ? HIDDEN_EVERY : EVERY);
    if (answer) this.#show(answer);
  }

  end() {
    this.#stop.abort();
    this.#zips.end();
    clearTimeout(this.#timer);
  }

  #show({ items, totals }) {
    keep(
      this.#waiting,
      tickets(),
      (ticket) => ticket,
      (ticket) => new TicketCard(ticket),
      this.#list,
    );
    const own = underWay(); // of these the server sees only whole parts
    const known = new Set(own.map(({ uploadId }) => uploadId));
    keep(
      this.#own,
      own,
      (item) => item,
      (item) => new OwnCard(item),
      this.#list,
    );
    const waiting = new Set(tickets().map(({ id }) => id)); // a ticket is a transfer, too
    keep(
      this.#cards,
      items.filter(({ id, upload_id: upload }) => !waiting.has(id) && !known.has(upload ?? undefined)),
      ({ id }) => id,
      (item) => new TransferCard(item),
      this.#list,
    );
    this.#empty.hidden = this.#list.childElementCount > 0 || !this.#zips.element.hidden;
    this.#totals.textContent = t("transfers.totals", {
      received: size(totals.bytes_received),
      sent: size(totals.bytes_sent),
    });
  }
}

// One card for each item, shown as the item is now; those of items that are over go.
function keep(cards, items, keyOf, make, list) {
  const there = new Set(items.map(keyOf));
  for (const [key, card] of cards) {
    if (!there.has(key)) {
      card.element.remove();
      cards.delete(key);
    }
  }
  for (const item of items) {
    const key = keyOf(item);
    if (!cards.has(key)) {
      cards.set(key, make(item));
      list.append(cards.get(key).element);
    }
    cards.get(key).show(item);
  }
}
