// A list that can be worked with: rows that are chosen, opened and acted on by mouse, keyboard and touch.

import { onKey } from "./keys.js";
import { RowList } from "./list.js";
import { Row } from "./row.js";
import { Selection } from "./selection.js";

const LONG_PRESS = 450; // milliseconds
const WANDER = 10; // pixels that a finger may move and still press

export class Pane {
  // `open(node)`, `act(name, nodes)` for keys, `openMenu(nodes, at)`, `onChoose(nodes)`; the rest is the list's, and in
  // `row` what a Row takes but the columns.
  constructor({ label, columns, onSort, onLook, row = {}, ...doing }) {
    this.doing = doing;
    this.selection = new Selection(() => this.#changed());
    this.list = new RowList({
      label, columns, onSort, onLook,
      makeRow: () => new Row({ columns, ...row }),
      mark: (node, index) => [this.selection.has(node), index === this.selection.active],
      onAll: (chosen) => (chosen ? this.selection.all() : this.selection.clear()),
    });
    this.element = this.list.element;
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.element.addEventListener("contextmenu", (event) => this.#onContextMenu(event));
    this.element.addEventListener("pointerdown", (event) => this.#onPress(event));
    this.element.addEventListener("keydown", (event) => onKey(event, this));
  }

  #pressed = null; // what the last pointer was, the node that it met, and whether its long press was used up

  show(items, complete) {
    this.list.show(items, complete);
    this.selection.show(items);
  }

  go(index) {
    this.selection.go(index);
    this.list.reveal(index);
    this.list.restate(index);
  }

  end() {
    this.list.end();
  }

  #changed() {
    this.list.restate(this.selection.active);
    this.list.showChosen(this.selection.count);
    this.doing.onChoose(this.selection.nodes);
  }

  #indexOf(event) {
    const row = event.target.closest("[data-index]");
    return row ? Number(row.dataset.index) : -1;
  }

  #onClick(event) {
    const index = this.#indexOf(event);
    if (index < 0) return;
    const { selection } = this;
    const node = selection.items[index];
    const pressed = this.#pressed;
    // The listing changed between press and release: the row shows another node than the one that was meant.
    if (event.detail && pressed?.node && pressed.node.id !== node.id) return event.preventDefault();
    if (event.target.closest(".more, .fetch")) this.element.focus({ preventScroll: true });
    if (event.target.closest(".fetch")) return this.#download(event, node);
    if (event.target.closest(".more")) return this.#openMenu(index, event.target.closest(".more"));
    const title = event.target.closest(".title");
    if (title && (event.ctrlKey || event.metaKey || event.shiftKey)) return undefined; // the browser's own
    if (!event.target.closest("input")) event.preventDefault();
    this.element.focus({ preventScroll: true });
    if (pressed?.used) return undefined;
    if (event.target.closest("input")) return event.shiftKey ? selection.extend(index) : selection.toggle(index);
    if (pressed?.touch) return selection.count ? selection.toggle(index) : this.doing.open(node);
    if (title) return this.doing.open(node);
    if (event.shiftKey) return selection.extend(index);
    return event.ctrlKey || event.metaKey ? selection.toggle(index) : selection.only(index);
  }

  #download(event, node) {
    event.preventDefault();
    this.doing.act("download", [node]);
  }

  #openMenu(index, at) {
    if (!this.selection.has(this.selection.items[index])) this.selection.go(index);
    const node = this.selection.items[index];
    this.doing.openMenu(this.selection.has(node) ? this.selection.nodes : [node], at);
  }

  #onContextMenu(event) {
    const index = this.#indexOf(event);
    if (index < 0) return;
    event.preventDefault();
    if (this.#pressed?.touch) return; // a long press, which chooses
    if (!this.selection.has(this.selection.items[index])) this.selection.only(index);
    this.#openMenu(index, { x: event.clientX, y: event.clientY });
  }

  // A finger that rests on a row chooses it, and then taps choose more.
  #onPress(event) {
    const index = this.#indexOf(event);
    const pressed = { touch: event.pointerType === "touch", node: this.selection.items[index], used: false };
    this.#pressed = pressed;
    if (!pressed.touch || index < 0) return;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      ending.abort();
      pressed.used = true;
      const now = this.selection.items.findIndex(({ id }) => id === pressed.node.id);
      if (now < 0) return; // it is gone
      this.selection.toggle(now);
      navigator.vibrate?.(10);
    }, LONG_PRESS);
    const end = () => { clearTimeout(timer); ending.abort(); };
    const moved = ({ clientX: x, clientY: y }) => Math.hypot(x - event.clientX, y - event.clientY) > WANDER && end();
    const options = { signal: ending.signal, passive: true };
    this.element.addEventListener("pointermove", moved, options);
    for (const type of ["pointerup", "pointercancel", "scroll"]) this.element.addEventListener(type, end, options);
  }
}
