// The files that are to be uploaded: in what order, how many at a time, and how far all of them have come. It shows nothing.

import { Meter } from "../meter.js";
import { OVER, Sending } from "./sending.js";

const AT_ONCE = 3; // a browser has six connections to one server, and the page needs some of them
const RUNNING = new Set(["looking", "sending", "asking"]);

export class Queue extends EventTarget {
  items = [];
  #means;
  #meter = new Meter();
  #whole = false; // all of them are being changed

  // `means` is what a Sending needs. Events: "change", of anything; "stored", whose `item` is visible from now on.
  constructor(means) {
    super();
    this.#means = means;
  }

  // `entries`: { file, path }, with the whole path that each shall have. One that waits or runs already is not added again.
  add(entries) {
    const there = new Map(this.items.filter((item) => !OVER.has(item.state)).map((item) => [item.print, item]));
    for (const { file, path } of entries) {
      const item = new Sending(file, path, this.#means, (changed) => this.#changed(changed));
      const before = there.get(item.print);
      if (before) this.resume(before);
      else this.items.push(item);
      there.set(item.print, before ?? item);
    }
    this.#fill();
  }

  pause(item) {
    if (item.state === "waiting" || RUNNING.has(item.state)) item.pause();
  }

  // After a pause, or a failure.
  resume(item) {
    if (item.state === "paused" || item.state === "failed") item.again();
  }

  cancel(item) {
    if (!OVER.has(item.state)) item.cancel();
  }

  pauseAll = () => this.#withAll((item) => this.pause(item));
  resumeAll = () => this.#withAll((item) => this.resume(item));
  cancelAll = () => this.#withAll((item) => this.cancel(item));

  // Forget those that are over.
  clear() {
    this.items = this.items.filter((item) => !OVER.has(item.state));
    this.#meter = new Meter();
    this.dispatchEvent(new Event("change"));
  }

  // Whether bytes would be lost by leaving.
  get busy() {
    return this.items.some(({ state }) => state === "waiting" || RUNNING.has(state));
  }

  // How many are in which state, bytes of all that shall be stored, bytes a second, and seconds that are left or null.
  get figures() {
    const count = Object.fromEntries(
      ["waiting", "running", "paused", "failed", "done", "skipped"].map((state) => [state, 0]),
    );
    let [sent, size] = [0, 0];
    for (const item of this.items) {
      if (item.state === "cancelled" || item.state === "skipped") continue;
      sent += item.sent;
      size += item.state === "failed" ? item.sent : item.size;
    }
    for (const { state } of this.items) count[RUNNING.has(state) ? "running" : state] += 1;
    const speed = count.running ? this.#meter.rate() : 0;
    return { ...count, sent, size, speed, left: speed > 0 ? (size - sent) / speed : null };
  }

  // As one change: else the next one would begin whenever one was stopped, only to be stopped itself.
  #withAll(act) {
    this.#whole = true;
    this.items.forEach(act);
    this.#whole = false;
    this.#look();
  }

  #changed(item) {
    if (item.state === "done") this.dispatchEvent(Object.assign(new Event("stored"), { item }));
    if (!this.#whole) this.#look();
  }

  #look() {
    if (this.items.some(({ state }) => state === "cancelled")) this.items = this.items.filter(({ state }) => state !== "cancelled");
    this.#meter.note(this.items.reduce((sum, { moved }) => sum + moved, 0));
    this.dispatchEvent(new Event("change"));
    this.#fill();
  }

  #fill() {
    let running = this.items.filter(({ state }) => RUNNING.has(state)).length;
    while (running < AT_ONCE) {
      const next = this.items.find(({ state }) => state === "waiting");
      if (!next) return;
      next.run(); // which comes back here: what runs is counted anew
      running = this.items.filter(({ state }) => RUNNING.has(state)).length;
    }
  }
}
