// Which files and folders are shared, for the mark on their rows: asked for once, and again when that changes.

import { address, get } from "../api.js";

const PAGE = 1000;

let shared = new Set();
const changed = new EventTarget();

export const isShared = (id) => shared.has(id);

// Ask anew, and tell those who listen when it is known. A failure leaves what was known: it is but a mark.
export async function look() {
  const found = new Set();
  try {
    for (let cursor = null, more = true; more; more = cursor !== null) {
      const { items, next } = await get(address("shares", { limit: PAGE, cursor }));
      for (const share of items) if (share.state === "active") found.add(share[`${share.kind}_id`]);
      cursor = next;
    }
  } catch {
    return;
  }
  shared = found;
  changed.dispatchEvent(new Event("change"));
}

// Returns what ends it.
export function listen(callback) {
  changed.addEventListener("change", callback);
  return () => changed.removeEventListener("change", callback);
}
