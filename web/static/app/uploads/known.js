// Whether the server has these contents already, so that not one byte of them has to travel. It knows digests, no names.

export const PIECE = 1 << 20; // bytes, as the server verifies them
const AT_ONCE = 8; // pieces that are read and hashed together
const LEAST = PIECE; // bytes of a file that is asked for: below, sending takes no longer than asking

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// Only on https and localhost do browsers hash.
export const canHash = () => Boolean(globalThis.crypto?.subtle);

// The identity of a file's contents: SHA-256 over the SHA-256s of its pieces, end to end, in hex.
// `onProgress` hears how many bytes are hashed. Rejects when `signal` ends it, and when the file can no longer be read.
export async function tree(file, { signal, onProgress = () => {} } = {}) {
  const digests = new Uint8Array(32 * Math.ceil(file.size / PIECE));
  for (let at = 0; at < file.size; at += AT_ONCE * PIECE) {
    signal?.throwIfAborted();
    const stop = Math.min(at + AT_ONCE * PIECE, file.size);
    digests.set(await pieces(file, at, stop), (32 * at) / PIECE);
    onProgress(stop);
  }
  return hex(await sha256(digests));
}

// The SHA-256 over the SHA-256s of what the bytes from `start` to `stop` bring of each piece: the checksum of one part.
export const treeOf = async (file, start, stop) => sha256(await pieces(file, start, stop));

async function pieces(file, start, stop) {
  const block = await file.slice(start, stop).arrayBuffer();
  const digests = [];
  for (let at = start; at < stop; at += PIECE - (at % PIECE)) {
    digests.push(sha256(new Uint8Array(block, at - start, Math.min(PIECE - (at % PIECE), stop - at))));
  }
  const joined = new Uint8Array(32 * digests.length);
  for (const [index, digest] of (await Promise.all(digests)).entries()) joined.set(digest, 32 * index);
  return joined;
}

// Whether the caller has some file of this size, which makes hashing worth its while. `call` is that of api.js.
export async function maybeKnown(call, size, signal) {
  if (size < LEAST || !canHash()) return false;
  return (await call("GET", `/api/v1/contents?size=${size}`, undefined, { signal })).known;
}
