// After a reload: which uploads were interrupted. A script cannot open files again by itself: the person chooses them.

import { call } from "../api.js";
import { toast } from "../dialog.js";
import { h, icon } from "../dom.js";
import { t } from "../text.js";
import { fingerprint } from "./places.js";
import { owner, places, upload } from "./start.js";

const SHOWN = 3; // names

// Show them in the dock, if there are any that no other tab goes on with.
export async function remind() {
  const running = new Set(((await navigator.locks?.query())?.held ?? []).map(({ name }) => name));
  const begun = places.all(owner).filter((place) => !running.has(`upload:${place.fingerprint}`));
  if (begun.length) document.getElementById("dock").prepend(note(begun));
}

function note(begun) {
  const n = begun.length;
  const chooser = h("input", { type: "file", multiple: true, class: "unseen", tabindex: -1, "aria-hidden": "true" });
  const names = begun.slice(0, SHOWN).map(({ path }) => h("li", {}, path));
  const drop = () => { card.remove(); begun.forEach(discard); };
  const card = h("section", { class: "uploads interrupted", "aria-label": t("interrupted.title", { n }) },
    h("header", {}, icon("restore"), h("h2", {}, t("interrupted.title", { n })), h("p", { class: "faint" }, t("interrupted.hint"))),
    h("ul", { class: "paths faint" }, names, n > SHOWN && h("li", {}, t("uploads.more", { n: n - SHOWN }))),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: drop }, t("interrupted.discard")),
      h("button", { type: "button", onclick: () => chooser.click() }, t("interrupted.choose")), chooser));
  chooser.addEventListener("change", () => goOn(begun, [...chooser.files], card));
  return card;
}

// Go on with those whose files were chosen; the rest of the note stays.
function goOn(begun, files, card) {
  const found = begun.flatMap((place) => {
    const file = files.find((one) => fingerprint(owner, place.path, one) === place.fingerprint);
    return file ? [{ file, path: place.path, place }] : [];
  });
  if (found.length < files.length) toast(t("interrupted.other"), { wrong: true });
  if (!found.length) return;
  upload(found);
  const rest = begun.filter((place) => !found.some((one) => one.place === place));
  if (rest.length) card.replaceWith(note(rest));
  else card.remove();
}

function discard({ fingerprint: print, uploadUrl }) {
  places.forget(print);
  call("DELETE", uploadUrl, undefined, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {}); // the server forgets it in time
}
