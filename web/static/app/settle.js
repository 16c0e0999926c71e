// Changes that come one upon the other become one look at what changed.

import { attempt } from "./dialog.js";

const PAUSE = 300; // milliseconds in which changes become one look

export class Settling {
  // `look()` asks anew for what is shown; a refusal is told.
  constructor(look) {
    this.#look = look;
  }

  #look;
  #timer = 0;
  #looking = false;
  #due = false; // something came while it looked
  #over = false;

  // Something changed. What comes while it looks waits for one look more: one that began anew each time would never end.
  note() {
    if (this.#looking) this.#due = true;
    else if (!this.#over) this.#timer ||= setTimeout(() => this.#run(), PAUSE);
  }

  end() {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #run() {
    [this.#timer, this.#looking, this.#due] = [0, true, false];
    await attempt(this.#look);
    this.#looking = false;
    if (this.#due) this.note();
  }
}
