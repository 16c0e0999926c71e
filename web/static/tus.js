// A small tus 1.0 client: one file, in parts, each with its SHA-256, going on after a failure.
// It knows the protocol and nothing of the page.

const PART = 8 * 1024 * 1024; // bytes; the server keeps a part only when it has arrived whole
const PATIENCE = 2 * 60 * 1000; // milliseconds without progress after which we give up

const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Refused extends Error {}

// XMLHttpRequest and not fetch: only it tells how much of a body has been sent.
function send(method, url, headers, body, onSent = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", ...headers })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => resolve(request);
    request.onerror = request.ontimeout = () => reject(new Error("The connection was lost."));
    request.send(body ?? null);
  });
}

function problem(response) {
  try {
    return JSON.parse(response.responseText);
  } catch {
    return { type: "", detail: `The server answered ${response.status}.` };
  }
}

async function checksum(part) {
  if (!globalThis.crypto?.subtle) return {}; // only on https and localhost
  const digest = await crypto.subtle.digest("SHA-256", await part.arrayBuffer());
  return { "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}` };
}

// Whether going on may help: the server is busy, the part came damaged, another holds the upload, or we lost our place.
function passing(status, { type }) {
  return [423, 460, 502, 503].includes(status) || type.endsWith("offset-mismatch");
}

async function create(file, folder, headers) {
  const metadata = { filename: file.name, path: folder, filetype: file.type };
  const pairs = Object.entries(metadata).filter(([, value]) => value).map(([key, value]) => `${key} ${encode(value)}`);
  const response = await send("POST", "/api/v1/uploads", {
    ...headers, "Upload-Length": String(file.size), "Upload-Metadata": pairs.join(","),
  });
  if (response.status !== 201) throw new Refused(problem(response).detail);
  return response.getResponseHeader("Location");
}

// Upload `file` into `folder`; `onProgress(bytes)` is called as it goes. Rejects with a sentence for the person.
export async function upload(file, folder, headers, onProgress) {
  const url = await create(file, folder, headers);
  let offset = 0;
  let lastProgress = Date.now();
  while (offset < file.size) {
    let wait = 1000;
    let failure;
    try {
      const part = file.slice(offset, offset + PART);
      const response = await send("PATCH", url, {
        ...headers, ...(await checksum(part)),
        "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset),
      }, part, (sent) => onProgress(offset + sent));
      if (response.status === 204) {
        offset = Number(response.getResponseHeader("Upload-Offset"));
        lastProgress = Date.now();
        onProgress(offset);
        continue;
      }
      const refusal = problem(response);
      failure = refusal.detail;
      if (!passing(response.status, refusal)) throw new Refused(failure);
      wait = 1000 * Number(response.getResponseHeader("Retry-After") ?? 1);
    } catch (error) {
      if (error instanceof Refused) throw error;
      failure ??= error.message;
    }
    if (Date.now() - lastProgress > PATIENCE) throw new Refused(failure);
    await sleep(wait);
    const before = offset;
    offset = (await where(url, headers)) ?? offset;
    if (offset > before) lastProgress = Date.now();
  }
}

// The offset from which to go on, or undefined while the server cannot be reached.
async function where(url, headers) {
  const response = await send("HEAD", url, headers).catch(() => null);
  if (response?.status === 404 || response?.status === 410) throw new Refused("The upload is no longer known. Begin again.");
  return response?.status === 200 ? Number(response.getResponseHeader("Upload-Offset")) : undefined;
}
