// The Files view: one folder, the way down to it, and what can be done there.

import { address, get } from "../api.js";
import { attempt } from "../dialog.js";
import { h, pictureButton } from "../dom.js";
import { exactly, moment, size } from "../format.js";
import { listen } from "../live.js";
import { menu } from "../menu.js";
import { go, title } from "../router.js";
import { look as lookForShares } from "../shares/known.js";
import { t } from "../text.js";
import { actionsFor, preview } from "./actions.js";
import { carryRows } from "./carry.js";
import { acceptDrops, chooseFiles } from "./drop.js";
import { previewOf } from "./kinds.js";
import { ListView } from "./listview.js";
import { folderAddress, parentOf } from "./row.js";
import { download, moveInto, newFolder } from "./verbs.js";

const PAGE = 1000; // entries asked for at once
const TAKES_AWAY = new Set(["moved", "removed", "restored"]); // a folder above with all that is in it; or it comes back

const EMPTY = { picture: "folder", title: t("files.empty"), hint: t("files.empty.hint") };
export const SIZE = { name: "size", sort: "size", text: (node) => (node.size === null ? "" : size(node.size)) };
export const MODIFIED = {
  name: "modified", sort: "modified",
  text: (node) => moment(node.modified_at), title: (node) => exactly(node.modified_at),
};
export const meta = (node) => [SIZE.text(node), moment(node.modified_at)].filter(Boolean).join(" · ");

// Into a folder, to look at a file, or to have it: what a click on a name does.
export function open(node, among) {
  if (node.kind === "folder") return go(folderAddress(node.path));
  return previewOf(node) ? preview(node, among) : download([node]);
}

let shown = null;

export async function show(root, params, leaving) {
  const mine = new FilesView(root);
  shown = mine;
  leaving.addEventListener("abort", () => mine.end());
  await mine.follow(params);
  lookForShares();
}

export const follow = (params) => attempt(() => shown.follow(params));

class FilesView {
  constructor(root) {
    this.#list = new ListView(root, {
      bar: h("div", { class: "bar" }, this.#heading, this.#trail, this.#buttons()),
      empty: EMPTY,
      label: t("files.label"), columns: [SIZE, MODIFIED], row: { meta, download: true, carried: true },
      actions: (nodes) => actionsFor(nodes, this.#items),
      keys: { up: () => this.path !== "/" && go(folderAddress(parentOf(this.path))) },
      open: (node) => open(node, this.#items),
      onSort: (by) => this.#sortBy(by),
      concerns: (folders) => folders.includes(this.path),
    });
    const above = (folder) => `${this.path}/`.startsWith(folder === "/" ? "/" : `${folder}/`);
    this.#stopEvents = listen(({ type, folders }) => TAKES_AWAY.has(type) && folders.some(above) && this.#list.note());
    this.#stopDrops = acceptDrops(root, () => this.path, (element) => this.#nodeAt(element, "folder"));
    carryRows(root, {
      picked: (element) => this.#picked(element), goalAt: (element) => this.#goalAt(element), drop: moveInto,
    });
  }

  path = "/";
  #list;
  #stopDrops;
  #stopEvents;
  #sort = { by: "name", order: "asc" };
  #heading = h("h1", { class: "unseen" }); // what the way down ends with is there to be seen
  #trail = h("nav", { class: "trail", "aria-label": t("files.trail") });
  #places = new Map(); // path -> how far it was scrolled

  get #items() {
    return this.#list.pages?.items ?? [];
  }

  // Show the folder that the address names.
  async follow(params) {
    this.#places.set(this.path, this.#list.pane.element.scrollTop);
    await this.#enter(params.get("path") ?? "/", (path) => this.#places.get(path) ?? 0);
  }

  end() {
    this.#stopDrops();
    this.#stopEvents();
    this.#list.end();
  }

  #enter(path, scrollOf) {
    const { by, order } = this.#sort;
    const ask = (cursor, signal) => get(address("nodes", { path, limit: PAGE, cursor, sort: by, order }), { signal });
    return this.#list.load(this.#asLongAsItIsThere(ask), (page) => {
      this.path = page.path;
      this.#showTrail();
      this.#list.pane.list.showSort(by, order);
      this.#list.pane.element.scrollTop = scrollOf(page.path);
    });
  }

  // A folder that somebody deletes while it is shown has nothing in it any more, which is said. It may come back.
  #asLongAsItIsThere(ask) {
    let shown = false;
    return async (cursor, signal) => {
      try {
        const page = await ask(cursor, signal);
        shown = true;
        this.#list.showEmpty(EMPTY);
        return page;
      } catch (error) {
        if (!shown || error.status !== 404) throw error;
        this.#list.showEmpty({ picture: "folder", title: error.message, hint: t("files.gone.hint") });
        return { items: [], next: null };
      }
    };
  }

  #sortBy(by) {
    const turned = this.#sort.by === by && this.#sort.order === "asc";
    this.#sort = { by, order: turned ? "desc" : "asc" };
    return attempt(() => this.#enter(this.path, () => 0));
  }

  #showTrail() {
    const names = this.path.split("/").filter(Boolean);
    const below = names.map((name, index) => [name, `/${names.slice(0, index + 1).join("/")}`]);
    const here = (path) => (path === this.path ? "page" : null);
    this.#trail.replaceChildren(h("ol", {}, [[t("files.root"), "/"], ...below].map(([name, path]) =>
      h("li", {}, h("a", { href: folderAddress(path), title: name, "aria-current": here(path) }, name)))));
    this.#heading.textContent = names.at(-1) ?? t("view.files");
    title(this.#heading.textContent);
  }

  #buttons() {
    const choose = (event) => menu([
      { label: t("upload.files"), icon: "file", act: () => chooseFiles(this.path) },
      { label: t("upload.folder"), icon: "files", act: () => chooseFiles(this.path, { folder: true }) },
    ], event.currentTarget, t("upload"));
    return [
      pictureButton("new-folder", t("new-folder"), { class: "quiet", onclick: () => newFolder(this.path) }),
      pictureButton("upload", t("upload"), { onclick: choose, "aria-haspopup": "menu" }),
    ];
  }

  // The node of the row that an element is in, if it is of that kind; else null.
  #nodeAt(element, kind) {
    const row = element.closest?.("[data-index]");
    const node = row && this.#items[row.dataset.index];
    return node && (!kind || node.kind === kind) ? node : null;
  }

  // What the mouse takes along: all that is chosen, when it takes one of them.
  #picked(element) {
    const node = this.#nodeAt(element);
    const { selection } = this.#list.pane;
    return node && selection.has(node) ? selection.nodes : [node].filter(Boolean);
  }

  // The path of the folder that a row or a step of the way stands for; null for the one that is shown.
  #goalAt(element) {
    const step = element.closest?.(".trail li")?.querySelector("a");
    const path = step ? new URL(step.href).searchParams.get("path") ?? "/" : this.#nodeAt(element, "folder")?.path;
    return path === undefined || path === this.path ? null : path;
  }
}
