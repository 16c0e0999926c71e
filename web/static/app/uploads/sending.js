// One file on its way: it may be known already, else it travels by tus; what stands in its way is asked. Nothing is shown here.

import { CheckedStack } from "./checked.js";
import { maybeKnown, tree } from "./known.js";
import { fingerprint } from "./places.js";

export const ENDPOINT = "/api/v1/uploads";
const PART = 16 << 20; // bytes of one request: so much is sent again after a line has dropped
const DELAYS = [0, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 15000, 15000, 15000]; // a restart of the server fits in
const PASSING = new Set([0, 408, 409, 423, 429, 460, 500, 502, 503, 504]); // after these going on may help; 0: no answer

export const OVER = new Set(["done", "skipped", "cancelled"]);

// Why a file was not stored, as a sentence. `status` is the HTTP status, 0 when no answer came.
export class Failure extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export class Sending {
  // waiting, looking (is it known?), sending, asking (a name is taken), paused, failed, done, skipped, cancelled
  state = "waiting";
  sent = 0; // bytes of the file that are there, or on their way
  moved = 0; // bytes that this page has sent, without what an earlier one had
  looked = 0; // bytes that were hashed
  failure = null;
  #url = null;
  #stop = new AbortController();
  #run = Promise.resolve();
  #means;
  #changed;
  #ifExists = "refuse";
  #copies = 0;

  // `path` is the whole path that the file shall have. `means`: { tus, stack, call, headers, places, decide, owner, say };
  // `changed` hears of every change.
  constructor(file, path, means, changed) {
    const cut = path.lastIndexOf("/");
    this.file = file;
    this.size = file.size;
    this.folder = path.slice(0, cut) || "/";
    this.name = path.slice(cut + 1);
    this.print = fingerprint(means.owner, path, file);
    this.#means = means;
    this.#changed = changed;
  }

  get path() {
    return `${this.folder === "/" ? "" : this.folder}/${this.name}`;
  }

  // What the server calls the upload; null before it has begun there.
  get uploadId() {
    return this.#url?.split("/").at(-1) ?? null;
  }

  // Go on until it is stored, or something ends that. A run that was stopped lets go of the upload first.
  run() {
    const { signal } = (this.#stop = new AbortController());
    this.#run = this.#run.then(() => this.#go(signal));
    this.failure = null;
    this.#turn("looking");
  }

  async #go(signal) {
    try {
      signal.throwIfAborted();
      await this.#alone(async () => {
        const begun = this.#means.places.find(this.print) ?? this.#url;
        if (begun || !(await this.#settle(signal, () => this.#shareKnown(signal)))) {
          await this.#settle(signal, () => this.#send(signal));
        }
      });
      this.#means.places.forget(this.print);
      this.sent = this.size;
      this.#turn("done");
    } catch (error) {
      if (signal.aborted) return; // whoever did that has said what it is now
      this.failure = error;
      this.#turn(error === SKIPPED ? "skipped" : "failed");
    }
  }

  pause() {
    this.#turn("paused");
    this.#stop.abort();
  }

  // Wait for a turn again.
  again() {
    this.#turn("waiting");
  }

  // Give it up, here and on the server. What cannot be told now, the server finds out by itself.
  async cancel() {
    const url = this.#means.places.find(this.print)?.uploadUrl ?? this.#url;
    this.#turn("cancelled");
    this.#stop.abort();
    this.#means.places.forget(this.print);
    if (url)
      await this.#means.call("DELETE", url, undefined, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {});
  }

  #turn(state) {
    this.state = state;
    this.#changed(this);
  }

  // Two tabs that were given the same file would go on with the same upload, each in the other's way.
  async #alone(act) {
    const locks = globalThis.navigator?.locks; // only on https and localhost
    if (!locks) return act();
    return locks.request(`upload:${this.print}`, { ifAvailable: true }, (lock) => {
      if (!lock) throw new Failure(423, this.#means.say("uploads.elsewhere"));
      return act();
    });
  }

  // Try it under the name it has; while that is taken, do as the person says.
  async #settle(signal, attempt) {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (error.status !== 409 || this.#ifExists === "replace") throw error;
        await this.#ask(signal);
      }
    }
  }

  async #ask(signal) {
    this.#means.places.forget(this.print); // whatever was begun under that name
    this.#url = null;
    if (this.#copies === 0) this.#turn("asking");
    const verdict = this.#copies ? "keep" : await Promise.race([this.#means.decide(this, signal), ended(signal)]);
    signal.throwIfAborted();
    if (verdict === "skip") throw SKIPPED;
    if (verdict === "replace") this.#ifExists = "replace";
    else this.name = nameOfCopy(this.name, ++this.#copies);
  }

  // True when the server had the contents, and the file is there now. Only a taken name is for somebody to decide; after
  // any other trouble the bytes travel.
  async #shareKnown(signal) {
    const { call } = this.#means;
    this.#turn("looking");
    try {
      if (!(await maybeKnown(call, this.size, signal))) return false;
      const onProgress = (bytes) => {
        this.looked = bytes;
        this.#changed(this);
      };
      const digest = await tree(this.file, { signal, onProgress });
      const body = { path: this.path, size: this.size, tree: digest, if_exists: this.#ifExists };
      if (this.file.type) body.media_type = this.file.type;
      await call("POST", "/api/v1/files", body, { signal });
      return true;
    } catch (error) {
      if (signal.aborted || error.status === 409) throw error;
      return false;
    }
  }

  #send(signal) {
    const { tus, places } = this.#means;
    this.#turn("sending");
    return new Promise((resolve, reject) => {
      const upload = new tus.Upload(this.file, {
        ...this.#options(),
        onUploadUrlAvailable: () => { this.#url = upload.url; },
        onProgress: this.#progress(),
        onSuccess: resolve,
        onError: (error) => reject(failureOf(error, this.#means.say)),
      });
      const begun = places.find(this.print);
      if (begun) upload.resumeFromPreviousUpload({ ...begun, urlStorageKey: this.print });
      else if (this.#url) upload.url = this.#url;
      const stop = () => { upload.abort(); reject(signal.reason); };
      signal.addEventListener("abort", stop, { once: true });
      upload.start();
    });
  }

  #options() {
    const { headers, places, stack } = this.#means;
    return {
      endpoint: ENDPOINT,
      chunkSize: PART,
      retryDelays: DELAYS,
      onShouldRetry: mayPass,
      headers: headers(),
      httpStack: new CheckedStack(stack, this.file),
      metadata: { filename: this.name, path: this.folder, filetype: this.file.type ?? "", if_exists: this.#ifExists },
      urlStorage: places,
      fingerprint: async () => this.print,
    };
  }

  // Hears how many bytes are there or on their way; the first word is of those that were there already.
  #progress() {
    let begins = true;
    return (sent) => {
      if (!begins) this.moved += Math.max(0, sent - this.sent);
      begins = false;
      this.sent = sent;
      this.#changed(this);
    };
  }
}

const SKIPPED = new Error("skipped");

// "film.mkv" -> "film (2).mkv", and from there "film (3).mkv".
export function nameOfCopy(name, copies) {
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  const bare = copies > 1 ? stem.replace(/ \(\d+\)$/, "") : stem;
  return `${bare} (${copies + 1})${ending}`;
}

const ended = (signal) => new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

function problemOf(error) {
  try {
    return JSON.parse(error.originalResponse?.getBody() || "{}");
  } catch {
    return {}; // a proxy's page
  }
}

// A 409 means another offset, which the next look puts right, or a name that is taken, which it does not.
function mayPass(error) {
  const status = statusOf(error);
  return PASSING.has(status) && (status !== 409 || Boolean(problemOf(error).type?.endsWith("offset-mismatch")));
}

function failureOf(error, say) {
  const [status, problem] = [statusOf(error), problemOf(error)];
  if (!error.originalRequest) return new Failure(0, error.message || say("uploads.unreadable"));
  return new Failure(status, problem.detail ?? (status ? say("refused.status", { status }) : say("refused.offline")));
}
