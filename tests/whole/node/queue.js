// The queue of the application's uploads, without the application: order, conflicts, pause, and a restart of the browser.

import "./vendor/tus.min.js";
import { call, file, stack, Storage, tell } from "./browser.js";
import { Places } from "./app/uploads/places.js";
import { Queue } from "./app/uploads/queue.js";

const storage = new Storage();
const asked = [];
const answers = { "/q/replaced.txt": "replace", "/q/kept.txt": "keep", "/q/skipped.txt": "skip" };
const queue = new Queue({
  tus: globalThis.tus, stack, call, headers: () => ({}), places: new Places(storage), owner: 1, say: (key) => key,
  decide: async (item) => { asked.push(item.path); return answers[item.path]; },
});

const until = (holds) => new Promise((resolve) => {
  const look = () => holds() && resolve();
  queue.addEventListener("change", look);
  look();
});
const idle = () => until(() => !queue.busy);
const states = () => Object.fromEntries(queue.items.map(({ path, state, failure }) => [path, failure?.message ?? state]));
const entries = (names, size, seed) => names.map((name) => ({ file: file(name, size, seed), path: `/q/${name}` }));

export async function first() {
  queue.add(entries(["replaced.txt", "kept.txt", "skipped.txt", "empty"], 3));
  await idle();
  queue.clear();
  queue.add([...entries(["replaced.txt", "kept.txt", "skipped.txt"], 5, 2), ...entries(["a"], 0)]);
  await idle();
  const settled = states();
  queue.clear();
  queue.add(entries(["big.bin"], (40 << 20) + 7, 9));
  const [big] = queue.items;
  await until(() => big.sent >= 8 << 20);
  queue.pause(big);
  tell({ settled, asked, paused: big.state, sent: big.sent, figures: queue.figures, storage: String(storage) });
  process.exit(0); // as a browser that is closed
}

export async function second() {
  const begun = new Places(storage).all(1);
  queue.add(entries(["big.bin"], (40 << 20) + 7, 9));
  const [big] = queue.items;
  await idle();
  tell({
    begun: begun.map(({ path, size }) => [path, size]), states: states(), moved: big.moved, left: new Places(storage).all(1).length,
    nodes: (await call("GET", "/api/v1/nodes?path=/q")).items.map(({ name, size }) => [name, size]),
  });
}

await { first, second }[process.argv[5]]();
