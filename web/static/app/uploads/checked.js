// What tus-js-client sends its requests by: its own way, with the SHA-256 of each part, so that a part that was damaged
// on its way is refused and sent again (tus, checksum extension).

import { canHash } from "./known.js";

async function checksum(part) {
  const digest = await crypto.subtle.digest("SHA-256", await part.arrayBuffer());
  return `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

export class CheckedStack {
  #inner;

  // `inner` is another stack, such as tus.DefaultHttpStack.
  constructor(inner) {
    this.#inner = inner;
  }

  getName = () => "checked";

  createRequest(method, url) {
    const request = this.#inner.createRequest(method, url);
    const send = request.send.bind(request);
    let aborted = false;
    const abort = request.abort.bind(request);
    request.abort = () => { aborted = true; return abort(); };
    request.send = async (part = null) => {
      if (part && canHash()) request.setHeader("Upload-Checksum", await checksum(part));
      if (aborted) throw new DOMException("The request was aborted.", "AbortError"); // while it was being hashed
      return send(part);
    };
    return request;
  }
}
