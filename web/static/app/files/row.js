// One row of a list: made once, and shown another node when the list scrolls.

import { h, icon, iconButton, setIcon } from "../dom.js";
import { isShared } from "../shares/known.js";
import { t } from "../text.js";
import { kindOf } from "./kinds.js";

export const downloadAddress = ({ kind, id }) => (kind === "folder" ? `/folders/${id}/download.zip` : `/files/${id}/download`);
export const folderAddress = (path) => (path === "/" ? "/" : `/?${new URLSearchParams({ path })}`);
export const parentOf = (path) => path.slice(0, path.lastIndexOf("/")) || "/";

// What a folder is called where its path is told: the top one has a name, too.
export const called = (folder) => (folder === "/" ? t("files.root") : folder);

const FINE = matchMedia("(pointer: fine)").matches;

export const addressOf = (node) => (node.kind === "folder" ? folderAddress(node.path) : downloadAddress(node));

export class Row {
  // `columns`: { name, text(node), title?(node) }; `meta(node)` is the second line where there is no room for columns;
  // `download`: whether a row has a link of its own to the bytes; `href(node)`: where its name leads, null for nowhere;
  // `carried`: whether a mouse may carry it away. A finger that rests on a row chooses it, and would carry it instead.
  constructor({ columns, meta, download, href = addressOf, carried }) {
    this.#columns = columns;
    this.#metaOf = meta;
    this.#hrefOf = href;
    this.#cells = columns.map(({ name }) => h("span", { role: "gridcell", class: `cell ${name}` }));
    this.#download = download && h("a", { class: "icon-button fetch", tabindex: -1, download: true }, icon("download"));
    this.element = h("div", { role: "row", class: "row", draggable: carried && FINE ? "true" : null },
      h("span", { role: "gridcell", class: "mark" }, this.#picture, this.#check),
      h("span", { role: "gridcell", class: "name" },
        h("span", { class: "line" }, this.#link, this.#shared, this.#damaged), this.#meta),
      this.#cells,
      h("span", { role: "gridcell", class: "acts" }, this.#download, this.#more));
  }

  #columns;
  #metaOf;
  #hrefOf;
  #cells;
  #download;
  #picture = icon("file");
  #check = h("input", { type: "checkbox", tabindex: -1 });
  #link = h("a", { class: "title", tabindex: -1, draggable: "false" });
  #damaged = h("strong", { class: "badge", title: t("row.damaged.title"), hidden: true }, t("row.damaged"));
  #shared = h("span", { class: "shared", title: t("share.shared"), role: "img", "aria-label": t("share.shared"), hidden: true }, icon("share"));
  #meta = h("small", {});
  #more = iconButton("more", "", undefined, { tabindex: -1, class: "icon-button more", "aria-haspopup": "menu" });

  show(node, index) {
    const { element } = this;
    const kind = kindOf(node);
    element.id = `row-${node.id}`;
    element.dataset.index = index;
    element.dataset.kind = kind;
    element.setAttribute("aria-rowindex", index + 2); // the head is the first
    setIcon(this.#picture, kind);
    this.#check.setAttribute("aria-label", t("row.choose", { name: node.name }));
    this.#link.textContent = node.name;
    this.#link.title = node.name;
    const href = this.#hrefOf(node);
    if (href) this.#link.href = href;
    this.#damaged.hidden = !node.damaged;
    this.#shared.hidden = !isShared(node.id);
    this.#meta.textContent = this.#metaOf(node);
    this.#more.setAttribute("aria-label", t("row.more", { name: node.name }));
    for (const [position, { text, title }] of this.#columns.entries()) {
      this.#cells[position].textContent = text(node);
      this.#cells[position].title = title?.(node) ?? "";
    }
    if (this.#download) this.#showDownload(node);
  }

  mark(chosen, active) {
    this.element.setAttribute("aria-selected", chosen);
    this.element.classList.toggle("active", active);
    this.#check.checked = chosen;
  }

  #showDownload(node) {
    this.#download.hidden = node.kind === "folder"; // a whole tree is asked for by the menu, not by a slip
    this.#download.href = downloadAddress(node);
    this.#download.title = t("download");
    this.#download.setAttribute("aria-label", t("row.download", { name: node.name }));
  }
}
