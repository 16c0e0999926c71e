// The Files view: one folder, the way down to it, and what can be done there.

import { address, get } from "../api.js";
import { listen } from "../changes.js";
import { attempt } from "../dialog.js";
import { h, icon } from "../dom.js";
import { exactly, moment, size } from "../format.js";
import { go, title } from "../router.js";
import { t } from "../text.js";
import { download } from "./actions.js";
import { Pages } from "./pages.js";
import { Pane } from "./pane.js";
import { folderAddress, parentOf } from "./row.js";

const PAGE = 1000; // entries asked for at once
const SETTLE = 300; // milliseconds in which changes of a folder become one look at it

export const COLUMNS = [
  { name: "size", sort: "size", text: (node) => (node.size === null ? "" : size(node.size)) },
  { name: "modified", sort: "modified", text: (node) => moment(node.modified_at), title: (node) => exactly(node.modified_at) },
];
export const meta = (node) => [node.size !== null && size(node.size), moment(node.modified_at)].filter(Boolean).join(" · ");

let shown = null;

export async function show(root, params) {
  shown = new FilesView(root);
  await shown.follow(params);
  const mine = shown;
  return () => mine.end();
}

export const follow = (params) => attempt(() => shown.follow(params));

class FilesView {
  constructor(root) {
    this.pane = new Pane({
      label: t("files.label"), columns: COLUMNS, meta, download: true,
      onSort: (by) => this.#sortBy(by), onLook: (index) => this.pages?.look(index),
      open: (node) => this.#open(node), act: (name, nodes) => this.#act(name, nodes),
      openMenu: () => {}, onChoose: () => {},
    });
    root.append(h("div", { class: "bar" }, this.trail), this.pane.element, this.empty, this.status);
    this.stop = listen((folders) => (!folders || folders.includes(this.path)) && this.#settle());
  }

  path = "/";
  sort = { by: "name", order: "asc" };
  trail = h("nav", { class: "trail", "aria-label": t("files.trail") });
  empty = h("div", { class: "empty", hidden: true }, icon("folder"), h("h2", {}, t("files.empty")), h("p", {}, t("files.empty.hint")));
  status = h("p", { class: "status", "aria-live": "polite" });
  #places = new Map(); // path -> how far it was scrolled
  #timer = 0;

  // Show the folder that the address names.
  async follow(params) {
    this.#places.set(this.path, this.pane.element.scrollTop);
    const path = params.get("path") ?? "/";
    const pages = this.#pages(path);
    await pages.load();
  }

  end() {
    this.stop();
    this.pages.end();
    this.pane.end();
    clearTimeout(this.#timer);
  }

  // The listing of `path`; it takes the place of the one that is shown when its first page is here.
  #pages(path) {
    this.coming?.end();
    const { by, order } = this.sort;
    const ask = (cursor, signal) => get(address("nodes", { path, limit: PAGE, cursor, sort: by, order }), { signal });
    this.coming = new Pages(ask, (pages) => {
      if (this.pages !== pages) this.#enter(path, pages);
      this.#display();
    });
    return this.coming;
  }

  #enter(path, pages) {
    this.pages?.end();
    this.pages = pages;
    const scroll = path === this.path ? 0 : this.#places.get(path) ?? 0;
    this.path = pages.first.path;
    this.#showTrail();
    this.pane.list.showSort(this.sort.by, this.sort.order);
    this.pane.show(pages.items, pages.complete);
    this.pane.selection.clear();
    this.pane.element.scrollTop = scroll;
  }

  #display() {
    const { items, complete } = this.pages;
    this.pane.show(items, complete);
    this.empty.hidden = items.length > 0;
    this.pane.element.classList.toggle("bare", !items.length);
    this.status.textContent = t(complete ? "files.count" : "files.counting", { n: items.length });
  }

  #showTrail() {
    const names = this.path.split("/").filter(Boolean);
    const steps = [[t("files.root"), "/"], ...names.map((name, index) => [name, `/${names.slice(0, index + 1).join("/")}`])];
    this.trail.replaceChildren(h("ol", {}, steps.map(([name, path], index) => h("li", {},
      h("a", { href: folderAddress(path), "aria-current": index === steps.length - 1 ? "page" : null }, name)))));
    title(names.at(-1) ?? t("view.files"));
  }

  #sortBy(by) {
    const turned = this.sort.by === by && this.sort.order === "asc";
    this.sort = { by, order: turned ? "desc" : "asc" };
    attempt(() => this.#pages(this.path).load());
  }

  #settle() {
    this.#timer ||= setTimeout(() => { this.#timer = 0; attempt(() => this.pages.load()); }, SETTLE);
  }

  #open(node) {
    if (node.kind === "folder") go(folderAddress(node.path));
    else download([node]);
  }

  #act(name, nodes) {
    if (name === "up" && this.path !== "/") go(folderAddress(parentOf(this.path)));
    if (name === "download") download(nodes);
  }
}
