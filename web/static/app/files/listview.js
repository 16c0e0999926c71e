// What the Files, Search and Bin views share: a bar that gives way to one for what is chosen, a list, and a count.

import { listen } from "../changes.js";
import { h, icon, iconButton, pictureButton } from "../dom.js";
import { size } from "../format.js";
import { menu } from "../menu.js";
import { Settling } from "../settle.js";
import { listen as listenToShares } from "../shares/known.js";
import { t } from "../text.js";
import { Pages } from "./pages.js";
import { Pane } from "./pane.js";

export class ListView {
  // `bar`: the view's own; `empty`: { picture, title, hint }; `actions(nodes)`: { name, label, icon, act, bar?, danger?,
  // hint? } of what can be done with these nodes, null for a line; `keys`: what only a key does, by name; `open(node)`;
  // `concerns(folders)`: whether a change there matters here; `onItems(items)`: hears what is listed, whenever that
  // changes; and what a Pane takes.
  constructor(root, { bar, empty, actions, keys = {}, open, concerns = () => true, onItems = () => {}, ...pane }) {
    this.#bar = bar;
    this.#onItems = onItems;
    this.#actions = actions;
    this.#keys = keys;
    this.pane = new Pane({
      ...pane, open,
      onLook: (index) => this.pages?.look(index),
      onChoose: (nodes) => this.#showChosen(nodes),
      act: (name, nodes) => this.#act(name, nodes),
      openMenu: (nodes, at) => this.#openMenu(nodes, at),
    });
    this.showEmpty(empty);
    root.append(bar, this.#chosen, this.pane.element, this.#empty, this.#status);
    this.#stops = [
      listen((folders) => (!folders || concerns(folders)) && this.note()),
      listenToShares(() => this.pages && this.pane.show(this.pages.items, this.pages.complete)),
    ];
  }

  pages = null; // what is shown
  #coming = null; // what will be, once its first page is here
  #bar;
  #onItems;
  #actions;
  #keys;
  #empty = h("div", { class: "empty", hidden: true });
  #chosen = h("div", { class: "bar chosen", role: "toolbar", "aria-label": t("chosen.label"), hidden: true });
  #count = h("h1", { class: "count" });
  #offered = ""; // names of the actions that the bar has buttons for
  #status = h("p", { class: "status", role: "status" });
  #stops;
  #changes = new Settling(() => this.pages?.load());

  // Show another listing: `fetchPage` as Pages has it. `onFirst(page)` is called when its first page takes its place.
  async load(fetchPage, onFirst = () => {}) {
    this.#coming?.end();
    const coming = new Pages(fetchPage, (pages) => {
      const fresh = this.pages !== pages;
      if (fresh) {
        this.pages?.end();
        this.pages = pages;
        this.pane.selection.forget();
      }
      this.pane.show(pages.items, pages.complete);
      if (fresh) onFirst(pages.first);
      this.#onItems(pages.items);
      this.#showCount();
    });
    this.#coming = coming;
    try {
      await coming.load();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  // Something changed that matters here: look at it soon.
  note() {
    this.#changes.note();
  }

  // What stands where there are no rows: { picture, title, hint }.
  showEmpty({ picture, title, hint }) {
    this.#empty.replaceChildren(icon(picture), h("h2", {}, title), h("p", {}, hint));
  }

  end() {
    for (const stop of this.#stops) stop();
    this.pages?.end();
    this.#coming?.end();
    this.pane.end();
    this.#changes.end();
  }

  #act(name, nodes) {
    return (this.#keys[name] ?? this.#actions(nodes).find((action) => action?.name === name)?.act)?.();
  }

  #openMenu(nodes, at) {
    menu(this.#actions(nodes), at, t("column.actions"));
  }

  #showChosen(nodes) {
    const left = !nodes.length && this.#chosen.contains(document.activeElement);
    this.#bar.hidden = nodes.length > 0;
    this.#chosen.hidden = !nodes.length;
    this.#showCount();
    if (left) this.pane.element.focus({ preventScroll: true });
    if (!nodes.length) return;
    this.#count.textContent = t("chosen.count", { n: nodes.length });
    this.#offer(this.#actions(nodes).filter((action) => action?.bar));
  }

  // Buttons stay for as long as they are the same, with the focus and a press that has begun.
  #offer(actions) {
    const offered = actions.map(({ name }) => name).join();
    if (offered === this.#offered) return;
    this.#offered = offered;
    const { selection } = this.pane;
    this.#chosen.replaceChildren(
      iconButton("close", t("chosen.none"), () => selection.clear()), this.#count,
      ...actions.map(({ name, label, icon: picture, danger }) => pictureButton(picture, label, {
        class: danger ? "quiet danger" : "quiet", data: { name }, onclick: () => this.#act(name, selection.nodes),
      })),
      iconButton("more", t("chosen.more"), (event) => this.#openMenu(selection.nodes, event.currentTarget)),
    );
  }

  #showCount() {
    if (!this.pages) return;
    const { items, complete } = this.pages;
    const { nodes } = this.pane.selection;
    const total = t(complete ? "files.count" : "files.counting", { n: items.length });
    const bytes = nodes.reduce((sum, node) => sum + (node.size ?? 0), 0);
    this.#status.textContent = nodes.length ? t("chosen.of", { n: nodes.length, total, size: size(bytes) }) : total;
    this.#empty.hidden = items.length > 0;
    this.pane.element.hidden = !items.length;
  }
}
