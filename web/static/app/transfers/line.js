// Downloads that begin when it is their turn: while all places are taken a person has one in line, and need not ask again.

import { call, post } from "../api.js";
import { toast } from "../dialog.js";
import { save } from "../dom.js";
import { t } from "../text.js";

const EVERY = 2000; // milliseconds between two looks; a ticket that nobody asks for is over after a minute

const line = new Set();

// Those that wait, first come first.
export const tickets = () => [...line];

// Hand the file's bytes to the browser's own downloads, now or when its turn comes. `node` is a file.
export async function download(node) {
  const answer = await post("/api/v1/queue", { file_id: node.id });
  if (answer.state === "ready") return save(answer.url);
  const ticket = new Ticket(node, answer);
  line.add(ticket);
  toast(t("ticket.waiting", { name: node.name, n: answer.place }), { action: t("cancel"), act: () => ticket.cancel() });
  return ticket.wait();
}

class Ticket {
  constructor({ name }, answer) {
    this.name = name;
    this.id = answer.ticket;
    this.url = `/api/v1/queue/${answer.ticket}`;
    this.#take(answer);
  }

  #take({ place, expected_wait: wait }) {
    this.place = place;
    this.expectedWait = wait;
  }

  // Until it is our turn, or it is cancelled.
  async wait() {
    while (line.has(this)) {
      await new Promise((done) => setTimeout(done, EVERY));
      const answer = line.has(this) && (await this.#look());
      if (!answer || !line.has(this)) continue;
      this.#take(answer);
      if (answer.state === "waiting") continue;
      line.delete(this);
      if (answer.state === "ready") save(answer.url);
      else toast(t("ticket.over", { name: this.name }), { wrong: true });
    }
  }

  // How it stands, or null: a line that is down for a moment is no reason to lose the place.
  async #look() {
    try {
      return await call("GET", this.url);
    } catch (error) {
      return error.status === 404 || error.status === 410 ? { state: "over", place: null, expected_wait: null } : null;
    }
  }

  cancel() {
    line.delete(this);
    call("DELETE", this.url).catch(() => {}); // it ends by itself when nobody asks for it
  }
}
