// Rows of one height, of which only those in sight are in the document: ten thousand cost what forty do.
// A grid to screen readers, with the focus on itself and the active row named by aria-activedescendant.

import { h } from "../dom.js";
import { t } from "../text.js";

const BESIDE = 8; // rows kept above and below those in sight, so that quick scrolling shows no gap

export class RowList {
  // `columns` as rows have them, with `sort` (what to sort by) where that is possible; `makeRow()` gives a Row;
  // `mark(node, index)` gives [chosen, active]; `onSort(by)`; `onAll(chosen)` is for all rows or none; `onLook(index)`
  // tells the last row in sight.
  constructor({ label, columns, makeRow, mark, onSort, onAll, onLook }) {
    this.#makeRow = makeRow;
    this.#mark = mark;
    this.#onLook = onLook;
    this.#all.addEventListener("change", () => onAll(this.#all.checked));
    this.#head = heading(columns, onSort, this.#all);
    const grid = { role: "grid", tabindex: 0, "aria-label": label, "aria-multiselectable": "true" };
    this.element = h("div", { class: "rows", ...grid },
      h("div", { role: "rowgroup", class: "head" }, this.#head), this.#body);
    this.element.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.#resizing.observe(this.element);
  }

  #makeRow;
  #mark;
  #onLook;
  #head;
  #all = h("input", { type: "checkbox", "aria-label": t("key.all") });
  #body = h("div", { role: "rowgroup", class: "body" });
  #items = [];
  #rows = new Map(); // index -> Row
  #spare = [];
  #height = 40;
  #due = 0;
  #resizing = new ResizeObserver(() => this.#measure());

  show(items, complete) {
    this.#items = items;
    this.element.setAttribute("aria-rowcount", complete ? items.length + 1 : -1);
    this.#body.style.height = `${items.length * this.#height}px`;
    // Rows stay where they are: one that moved in the document between press and release would lose the click.
    for (const [index, row] of [...this.#rows]) {
      if (index < items.length) this.#fill(row, index);
      else this.#drop(index);
    }
    this.#paint();
  }

  // Chosen or active rows changed.
  restate(active) {
    for (const [index, row] of this.#rows) row.mark(...this.#mark(this.#items[index], index));
    const row = this.#rows.get(active);
    if (row) this.element.setAttribute("aria-activedescendant", row.element.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // So many of the rows are chosen.
  showChosen(count) {
    this.#all.checked = count > 0 && count === this.#items.length;
    this.#all.indeterminate = count > 0 && !this.#all.checked;
  }

  // Scroll no further than it takes to see the row.
  reveal(index) {
    const top = index * this.#height;
    const room = this.element.clientHeight - this.#head.offsetHeight;
    const { scrollTop } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.#height > scrollTop + room) this.element.scrollTop = top + this.#height - room;
    this.#paint();
  }

  // Rows that fit into the window, for a page up or down.
  get page() {
    return Math.max(1, Math.floor((this.element.clientHeight - this.#head.offsetHeight) / this.#height) - 1);
  }

  // The element of a row that is in the document, or undefined.
  elementAt(index) {
    return this.#rows.get(index)?.element;
  }

  showSort(by, order) {
    for (const cell of this.#head.querySelectorAll("[data-sort]")) {
      const mine = cell.dataset.sort === by;
      cell.setAttribute("aria-sort", mine ? (order === "asc" ? "ascending" : "descending") : "none");
    }
  }

  end() {
    this.#resizing.disconnect();
    cancelAnimationFrame(this.#due);
  }

  // The style sheet says how high a row is: it differs between a phone and a desk.
  #measure() {
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue("--row-height"));
    const seen = this.element.scrollTop / this.#height;
    if (height && height !== this.#height) {
      this.#height = height;
      this.show(this.#items, this.element.getAttribute("aria-rowcount") !== "-1");
      this.element.scrollTop = seen * height;
    }
    this.#soon();
  }

  #soon() {
    this.#due ||= requestAnimationFrame(() => { this.#due = 0; this.#paint(); });
  }

  #paint() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.#height) - BESIDE);
    const last = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / this.#height) + BESIDE);
    for (const index of [...this.#rows.keys()]) if (index < first || index >= last) this.#drop(index);
    // Downwards from the last, so that rows stand in the document in the order in which they are read.
    for (let index = last - 1; index >= first; index -= 1) if (!this.#rows.has(index)) this.#place(index);
    for (const row of this.#spare) row.element.remove();
    this.#onLook(last);
  }

  #place(index) {
    const row = this.#spare.pop() ?? this.#makeRow();
    this.#fill(row, index);
    this.#body.insertBefore(row.element, this.#rows.get(index + 1)?.element ?? null);
    this.#rows.set(index, row);
  }

  #fill(row, index) {
    row.show(this.#items[index], index);
    row.mark(...this.#mark(this.#items[index], index));
    row.element.style.transform = `translateY(${index * this.#height}px)`;
  }

  #drop(index) {
    this.#spare.push(this.#rows.get(index));
    this.#rows.delete(index);
  }
}

function heading(columns, onSort, all) {
  const cells = [{ name: "name", sort: onSort && "name" }, ...columns].map(({ name, sort }) => {
    const label = t(`column.${name}`);
    const attributes = { role: "columnheader", class: `cell ${name}`, data: onSort && sort ? { sort } : {} };
    const button = () => h("button", { type: "button", onclick: () => onSort(sort) }, label);
    return h("span", attributes, onSort && sort ? button() : label);
  });
  return h("div", { role: "row", class: "row", "aria-rowindex": 1 },
    h("span", { role: "columnheader", class: "mark" }, all), cells,
    h("span", { role: "columnheader", class: "acts" }, h("span", { class: "unseen" }, t("column.actions"))));
}
