// Which rows are chosen, and which one is active. Plain data; the pane shows it.

export class Selection {
  constructor(onChange) {
    this.items = [];
    this.active = -1; // the row that the keyboard is at, or -1
    this.#onChange = onChange;
  }

  #onChange;
  #chosen = new Set(); // ids
  #anchor = -1; // where a run of rows begins
  #before = new Set(); // what was chosen before the run

  get count() {
    return this.#chosen.size;
  }

  get nodes() {
    return this.items.filter(({ id }) => this.#chosen.has(id));
  }

  // What an action is about: all that is chosen, else the active row.
  get targets() {
    return this.count ? this.nodes : this.items.slice(this.active, this.active + 1).filter(() => this.active >= 0);
  }

  has(node) {
    return this.#chosen.has(node.id);
  }

  // New rows: what is still there stays chosen, and the active one active.
  show(items) {
    const active = this.items[this.active]?.id;
    this.items = items;
    const there = new Map(items.map(({ id }, index) => [id, index]));
    this.#chosen = new Set([...this.#chosen].filter((id) => there.has(id)));
    this.active = there.get(active) ?? Math.min(this.active, items.length - 1);
    this.#anchor = this.active;
    this.#before = new Set();
    this.#onChange();
  }

  // Other rows altogether: nothing is chosen or active any more.
  forget() {
    this.items = [];
    this.#set(new Set(), -1);
  }

  only(index) {
    this.#set(new Set([this.items[index].id]), index);
  }

  toggle(index) {
    const chosen = new Set(this.#chosen);
    if (!chosen.delete(this.items[index].id)) chosen.add(this.items[index].id);
    this.#set(chosen, index);
  }

  // From where the run began to here, with what was chosen before.
  extend(index) {
    const from = this.#anchor < 0 ? index : this.#anchor;
    const run = this.items.slice(Math.min(from, index), Math.max(from, index) + 1);
    this.#chosen = new Set([...this.#before, ...run.map(({ id }) => id)]);
    this.#anchor = from;
    this.active = index;
    this.#onChange();
  }

  all() {
    this.#set(new Set(this.items.map(({ id }) => id)), this.active);
  }

  clear() {
    this.#set(new Set(), this.active);
  }

  // The keyboard goes to a row; what is chosen stays.
  go(index) {
    this.#set(this.#chosen, index);
  }

  #set(chosen, index) {
    this.#chosen = chosen;
    this.active = this.#anchor = index;
    this.#before = new Set(chosen);
    this.#onChange();
  }
}
