// How fast a number of bytes grows: over the last few seconds, so that it is calm and still true. Pure.

const SPAN = 5000; // milliseconds that are looked back
const STEP = 250; // milliseconds between two samples

export class Meter {
  #samples = [];

  // So many bytes in all by now; fewer than before means that some have to be moved again.
  note(bytes, now = performance.now()) {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    else if (last && now - last.at < STEP) return;
    this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && now - this.#samples[1].at > SPAN) this.#samples.shift();
  }

  // Bytes per second; 0 while there is too little to tell from.
  rate(now = performance.now()) {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || last === first) return 0;
    return (1000 * (last.bytes - first.bytes)) / Math.max(now - first.at, STEP);
  }
}
