// Where uploads stand on the server, kept in the browser: a reload, or a restart, goes on when the same file is chosen.
// It is tus-js-client's `urlStorage`, with one address for each file.

const PREFIX = "upload:";
const LIFE = 7 * 24 * 3600 * 1000; // milliseconds: the server forgets an upload that rested for so long

// What tells a file that was chosen again from another one.
export const fingerprint = (owner, path, file) => JSON.stringify([owner, path, file.size, file.lastModified ?? 0]);

export class Places {
  #storage;

  // `storage` is a Storage, or undefined where the browser has none: then nothing is remembered.
  constructor(storage) {
    this.#storage = storage;
  }

  // Of this `owner`, those that can still be gone on with: { fingerprint, uploadUrl, size, path, creationTime }.
  all(owner) {
    const keys = Array.from({ length: this.#storage?.length ?? 0 }, (_, index) => this.#storage.key(index));
    const found = keys.filter((key) => key.startsWith(PREFIX)).map((key) => this.find(key.slice(PREFIX.length)));
    return found.filter((place) => place && JSON.parse(place.fingerprint)[0] === owner);
  }

  // The place of one file, or null.
  find(print) {
    const text = this.#storage?.getItem(PREFIX + print);
    if (!text) return null;
    const place = JSON.parse(text);
    if (Date.now() - new Date(place.creationTime) < LIFE)
      return { ...place, fingerprint: print, path: JSON.parse(print)[1] };
    this.forget(print);
    return null;
  }

  forget(print) {
    this.#storage?.removeItem(PREFIX + print);
  }

  // From here on what tus-js-client asks of its urlStorage.

  async addUpload(print, upload) {
    try {
      this.#storage?.setItem(PREFIX + print, JSON.stringify(upload));
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error; // a full storage costs the resuming, not the upload
    }
    return print;
  }

  findAllUploads = async () => [];

  findUploadsByFingerprint = async (print) => [this.find(print)].filter(Boolean);

  // tus-js-client would forget an upload whose session is over (401), too. A new address takes the old one's place, and
  // whoever ends an upload forgets it.
  removeUpload = async () => {};
}
