// A listing that the API gives in pages, read ahead of the reader. It knows no element.

const AHEAD = 10_000; // rows that are loaded below the one that is looked at

export class Pages {
  // `fetchPage(cursor, signal)` gives { items, next, ... }; `onChange(pages)` is called after each page that counts.
  constructor(fetchPage, onChange) {
    this.items = [];
    this.complete = false;
    this.first = null; // the first page, for what else it says
    this.#fetchPage = fetchPage;
    this.#onChange = onChange;
  }

  #fetchPage;
  #onChange;
  #cursor = null;
  #looked = 0;
  #ending = new AbortController();
  #reading = null;

  // From the beginning. What is shown stays until as much is there again, so that nothing jumps.
  load() {
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#reading = this.#read([], null, Math.min(this.items.length, this.#looked + AHEAD));
    return this.#reading;
  }

  // The row `index` is in sight: read on if too few are left below it.
  look(index) {
    this.#looked = index;
    if (this.complete || this.#reading || this.items.length > index + AHEAD / 2) return;
    this.#reading = this.#read(this.items, this.#cursor, 0);
    this.#reading.catch(() => {}); // the next look tries again
  }

  end() {
    this.#ending.abort();
  }

  async #read(items, cursor, wanted) {
    const { signal } = this.#ending;
    let known = items;
    let next = cursor;
    let first = this.first;
    try {
      do {
        const page = await this.#fetchPage(next, signal);
        first = next === null ? page : first;
        known = known.concat(page.items);
        next = page.next;
        if (known.length < wanted && next) continue;
        Object.assign(this, { items: known, complete: !next, first });
        this.#cursor = next;
        this.#onChange(this);
      } while (next && known.length < this.#looked + AHEAD);
    } finally {
      if (signal === this.#ending.signal) this.#reading = null;
    }
  }
}
