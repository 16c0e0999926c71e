// Where uploads begin: whoever has files calls `upload`. The panel, the questions and tus-js-client come when needed.

import { call, credentials } from "../api.js";
import { tell } from "../changes.js";
import { toast } from "../dialog.js";
import { loaded } from "../loading.js";
import { t } from "../text.js";
import { decide, forget } from "./conflicts.js";
import { outcomeOf, Panel } from "./panel.js";
import { Places } from "./places.js";
import { Queue } from "./queue.js";
import { OVER } from "./sending.js";

export const owner = Number(document.body.dataset.userId);
export const places = new Places(storage());
// Tells of files that were taken on: event "taken".
export const taken = new EventTarget();

let made = null; // a promise
let queueOf = null;

// `entries`: { file, path }, with the whole path that each shall have, such as "/photos/1.jpg"; folders are made.
export async function upload(entries) {
  if (!entries.length) return;
  const queue = await theQueue();
  if (!queue.busy) {
    forget();
    queue.clear();
  }
  queue.add(entries);
  taken.dispatchEvent(new Event("taken"));
}

// The one queue of this document, made with its panel when it is first asked for.
function theQueue() {
  made ??= make().catch((error) => {
    made = null; // or no choice of files would ever be taken
    throw error;
  });
  return made;
}

// Whether this document has taken on the file of that fingerprint.
export const has = (print) => queueOf?.items.some((item) => item.print === print) ?? false;

// The files that this document uploads now.
export const underWay = () => queueOf?.items.filter(({ state }) => !OVER.has(state) && state !== "waiting") ?? [];
export const pause = (item) => queueOf.pause(item);
export const resume = (item) => queueOf.resume(item);
export const cancel = (item) => queueOf.cancel(item);

async function make() {
  await loaded(() => import("/static/vendor/tus.min.js")); // which leaves `tus` on the window
  const { tus } = window;
  const stack = new tus.DefaultHttpStack();
  const queue = (queueOf = new Queue({ tus, stack, call, headers: credentials, places, owner, decide, say: t }));
  document.getElementById("dock").append(new Panel(queue).element);
  queue.addEventListener("stored", ({ item }) => tell(ancestors(item.folder)));
  addEventListener("beforeunload", (event) => {
    if (queue.busy) event.preventDefault();
  });
  addEventListener("online", () =>
    queue.items.filter(({ failure }) => failure?.status === 0).forEach((item) => queue.resume(item)),
  );
  announce(queue);
  return queue;
}

// The listings that a new file below `folder` may change: folders on the way to it may be new.
function ancestors(folder) {
  const steps = folder.split("/").filter(Boolean);
  return ["/", ...steps.map((_, index) => `/${steps.slice(0, index + 1).join("/")}`)];
}

// Once all is over, say so: to eyes and to ears.
function announce(queue) {
  let ran = false;
  queue.addEventListener("change", () => {
    const { done, failed, skipped } = queue.figures;
    if (ran && !queue.busy && done + failed + skipped) toast(outcomeOf(queue.figures), { wrong: failed > 0 });
    ran = queue.busy;
  });
}

// A browser may forbid it.
function storage() {
  try {
    return localStorage;
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
    return undefined;
  }
}
