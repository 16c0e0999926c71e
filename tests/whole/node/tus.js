// tus-js-client by itself, as its page of instructions has it: stopped in the middle, and gone on with by another object.

import "./vendor/tus.min.js";
import { call, file, stack, tell } from "./browser.js";

const { tus } = globalThis;
const SIZE = (20 << 20) + 1;

function upload(from, ending) {
  return new Promise((resolve, reject) => {
    const one = new tus.Upload(from, {
      endpoint: "/api/v1/uploads", chunkSize: 8 << 20, httpStack: stack, storeFingerprintForResuming: false,
      metadata: { filename: from.name, path: "/tus-js" }, retryDelays: [0, 500, 1000], onError: reject, ...ending(() => one, resolve),
    });
    one.start();
  });
}

const film = file("film.bin", SIZE);
const begun = await upload(film, (one, resolve) => ({
  onChunkComplete: (_, accepted) => one().abort().then(() => resolve({ url: one().url, accepted })),
}));
await upload(film, (one, resolve) => ({ uploadUrl: begun.url, onSuccess: () => resolve() }));

const other = await upload(file("other.bin", 5), (one, resolve) => ({ onSuccess: () => resolve(one()) }));
const given = await upload(file("given-up.bin", SIZE), (one, resolve) => ({
  onChunkComplete: () => one().abort(true).then(() => resolve(one())),
}));
const gone = await stack.createRequest("HEAD", given.url);
gone.setHeader("Tus-Resumable", "1.0.0");
tell({
  accepted: begun.accepted, size: SIZE, other: Boolean(other.url), gone: (await gone.send()).getStatus(),
  nodes: (await call("GET", "/api/v1/nodes?path=/tus-js")).items.map(({ name, size }) => [name, size]),
});
