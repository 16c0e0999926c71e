// Small pictures that did not come: the server makes them one by one, and asks for patience when many look at once.

import { h, icon } from "../app/dom.js";

const TRIES = 8;
const PAUSE = 2000; // milliseconds between them

// Whether the picture at the address can be had, sooner or later.
export async function waitFor(url) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { ok, status } = await fetch(url).catch(() => ({ ok: false, status: 503 }));
    if (ok || status !== 503) return ok;
    await new Promise((resolve) => { setTimeout(resolve, PAUSE * (1 + Math.random())); });
  }
  return false;
}

async function again(image) {
  if (await waitFor(image.src)) {
    image.srcset = "";
    image.src = image.src; // eslint-disable-line no-self-assign -- it loads anew
    return;
  }
  const link = image.closest("a");
  link.classList.add("broken");
  link.replaceChildren(icon("image"), h("span", {}, image.alt));
}

// See that every picture of an album below `root` comes, or says what it is.
export function mend(root) {
  for (const image of root.querySelectorAll(".album img")) {
    const failed = image.complete && image.currentSrc && !image.naturalWidth; // before this script ran
    if (failed) again(image);
    else image.addEventListener("error", () => again(image), { once: true });
  }
}
