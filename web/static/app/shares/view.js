// The Shares view: every link that was given to others, how it is used, and its end.

import { address, get } from "../api.js";
import { listen as listenToChanges } from "../changes.js";
import { attempt } from "../dialog.js";
import { h, icon } from "../dom.js";
import { listen } from "../live.js";
import { Settling } from "../settle.js";
import { t } from "../text.js";
import { ShareCard } from "./card.js";

const PAGE = 200;
// What changes a link, or what is said of where it leads.
const CHANGES = new Set(["shared", "share_changed", "unshared", "moved", "removed", "restored"]);

export function show(root, _params, leaving) {
  const view = new SharesView(root);
  const changes = new Settling(() => view.load());
  const ends = [
    listen(({ type }) => CHANGES.has(type) && changes.note()),
    listenToChanges((folders) => folders || changes.note()), // events may have been missed
    () => changes.end(),
  ];
  leaving.addEventListener("abort", () => ends.forEach((end) => end()));
  return view.load();
}

class SharesView {
  #cards = new Map(); // id -> ShareCard
  #list = h("ul", { class: "cards" });
  #more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => attempt(() => this.#showMore()) },
    t("shares.more"));
  #empty = h("div", { class: "empty", hidden: true },
    icon("link"), h("h2", {}, t("shares.empty")), h("p", {}, t("shares.empty.hint")));
  #wanted = 0; // links, and all that come on the same page
  #shown = 0;
  #turn = 0; // counts the looks; an answer that a later one has overtaken is let go

  constructor(root) {
    root.append(h("div", { class: "bar" }, h("h1", {}, t("view.shares"))),
      h("div", { class: "page", tabindex: 0 }, this.#list, h("div", { class: "buttons first" }, this.#more), this.#empty));
  }

  // From the start, as many as are wanted.
  async load() {
    const mine = ++this.#turn;
    let [items, next] = [[], null];
    do {
      const page = await get(address("shares", { limit: PAGE, cursor: next }));
      items = items.concat(page.items);
      next = page.next;
    } while (next !== null && items.length < this.#wanted);
    if (mine === this.#turn) this.#show(items, next);
  }

  #showMore() {
    this.#wanted = this.#shown + 1;
    return this.load();
  }

  #show(items, next) {
    this.#shown = items.length;
    const there = new Set(items.map(({ id }) => id));
    for (const [id, { element }] of this.#cards) {
      if (there.has(id)) continue;
      element.remove();
      this.#cards.delete(id);
    }
    items.forEach((item, index) => this.#place(item, index));
    this.#more.hidden = next === null;
    this.#empty.hidden = items.length > 0;
  }

  // Cards that are there stay in the document, with the focus: their order never changes.
  #place(item, index) {
    if (!this.#cards.has(item.id)) this.#cards.set(item.id, new ShareCard(item, () => attempt(() => this.load())));
    const card = this.#cards.get(item.id);
    card.show(item);
    if (this.#list.children[index] !== card.element) this.#list.insertBefore(card.element, this.#list.children[index] ?? null);
  }
}
