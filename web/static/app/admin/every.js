// What is looked at again and again, while somebody looks at it.

import { attempt } from "../dialog.js";

// Do it every so many milliseconds until `leaving` aborts; a refusal is told, and it goes on.
export function every(milliseconds, act, leaving) {
  if (leaving.aborted) return;
  const timer = setInterval(() => document.hidden || attempt(act), milliseconds);
  leaving.addEventListener("abort", () => clearInterval(timer));
}
