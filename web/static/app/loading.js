// Modules that come when they are first needed. A browser says in words of its own that one did not: these are ours.

import { t } from "./text.js";

// The server is out of reach, or is another version by now: what helps is to load the page again.
export class NotLoaded extends Error {}

// What `load`, a function with an import in it, gives. Rejects with NotLoaded.
export const loaded = (load) => load().catch((cause) => { throw new NotLoaded(t("loading.failed"), { cause }); });

// Uploads that run ask before they let the page go.
export const reload = () => location.reload();
