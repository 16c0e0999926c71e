// What a browser would give the uploads: requests for tus-js-client, calls to the API, a storage, and the choice of files.

export const [, , base, token, storageText = "{}"] = process.argv;
const authorization = { Authorization: `Bearer ${token}` };

class FetchRequest {
  #headers = {};
  #stop = new AbortController();
  #progress = () => {};

  constructor(method, url) {
    this.method = method;
    this.url = new URL(url, base);
  }

  getMethod = () => this.method;
  getURL = () => String(this.url);
  setHeader = (name, value) => { this.#headers[name] = value; };
  getHeader = (name) => this.#headers[name];
  setProgressHandler = (handler) => { this.#progress = handler; };
  abort = async () => this.#stop.abort();
  getUnderlyingObject = () => null;

  async send(body = null) {
    const headers = { ...authorization, ...this.#headers };
    const response = await fetch(this.url, { method: this.method, headers, body, signal: this.#stop.signal });
    const text = await response.text();
    if (body) this.#progress(body.size);
    return { getStatus: () => response.status, getHeader: (name) => response.headers.get(name), getBody: () => text };
  }
}

export const stack = { createRequest: (method, url) => new FetchRequest(method, url), getName: () => "fetch" };

export async function call(method, url, body, { headers, signal } = {}) {
  const json = body && { "Content-Type": "application/json" };
  const response = await fetch(new URL(url, base), {
    method, signal, headers: { ...authorization, ...json, ...headers }, body: body && JSON.stringify(body),
  });
  const document = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(document.detail), { status: response.status });
  return document;
}

// A Storage that can be handed to the next process.
export class Storage {
  #kept = new Map(Object.entries(JSON.parse(storageText)));

  get length() { return this.#kept.size; }
  key = (index) => [...this.#kept.keys()][index];
  getItem = (key) => this.#kept.get(key) ?? null;
  setItem = (key, value) => { this.#kept.set(key, String(value)); };
  removeItem = (key) => { this.#kept.delete(key); };
  toString = () => JSON.stringify(Object.fromEntries(this.#kept));
}

// The same `size` bytes each time, for each `seed`; never a repetition within a chunk.
export function file(name, size, seed = 1) {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let index = 0, state = seed; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[index] = state;
  }
  return Object.assign(new Blob([new Uint8Array(words.buffer, 0, size)]), { name, lastModified: seed });
}

// The end of the test's sentence: what Python reads.
export const tell = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);
