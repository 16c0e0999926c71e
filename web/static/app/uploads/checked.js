// What tus-js-client sends the requests of one file by: its own way, with a checksum of each part, so that a part that was
// damaged on its way is refused and sent again (tus, checksum extension). The next part is hashed while one travels.

import { canHash, treeOf } from "./known.js";

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

export class CheckedStack {
  #inner;
  #file;
  #ahead = { start: -1, checksum: null };

  // `inner` is another stack, such as tus.DefaultHttpStack.
  constructor(inner, file) {
    this.#inner = inner;
    this.#file = file;
  }

  getName = () => "checked";

  createRequest(method, url) {
    const request = this.#inner.createRequest(method, url);
    const send = request.send.bind(request);
    let aborted = false;
    const abort = request.abort.bind(request);
    request.abort = () => { aborted = true; return abort(); };
    request.send = async (part = null) => {
      if (part && canHash()) {
        const start = Number(request.getHeader("Upload-Offset"));
        request.setHeader("Upload-Checksum", await this.#checksum(start, part.size));
        this.#ahead = { start: start + part.size, size: part.size, checksum: this.#hash(start + part.size, part.size) };
        this.#ahead.checksum.catch(() => {}); // whoever needs it will hear of it
      }
      if (aborted) throw new DOMException("The request was aborted.", "AbortError"); // while it was being hashed
      return send(part);
    };
    return request;
  }

  #checksum(start, size) {
    const { start: from, size: bytes, checksum } = this.#ahead;
    const stop = Math.min(from + bytes, this.#file.size);
    return from === start && stop === start + size ? checksum : this.#hash(start, size);
  }

  async #hash(start, size) {
    return `tree ${base64(await treeOf(this.#file, start, Math.min(start + size, this.#file.size)))}`;
  }
}
