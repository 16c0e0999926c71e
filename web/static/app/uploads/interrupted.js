// After a reload: which uploads were interrupted. A script cannot open files again by itself: the person chooses them.

import { call } from "../api.js";
import { attempt, toast } from "../dialog.js";
import { h, icon } from "../dom.js";
import { t } from "../text.js";
import { fingerprint } from "./places.js";
import { has, owner, places, taken, upload } from "./start.js";

const SHOWN = 3; // names

// Show them in the dock, if there are any that no other tab goes on with.
export async function remind() {
  const begun = await resting(places.all(owner));
  if (!begun.length) return;
  let card = note(begun);
  document.getElementById("dock").prepend(card);
  taken.addEventListener("taken", () => { // by whatever way they were chosen
    const rest = begun.filter((place) => !has(place.fingerprint) && places.find(place.fingerprint));
    const next = rest.length ? note(rest) : "";
    card.replaceWith(next);
    card = next || card;
  });
}

// Without those that another tab has gone on with.
async function resting(begun) {
  const running = new Set(((await navigator.locks?.query())?.held ?? []).map(({ name }) => name));
  return begun.filter((place) => !running.has(`upload:${place.fingerprint}`));
}

function note(begun) {
  const n = begun.length;
  const chooser = h("input", { type: "file", multiple: true, class: "unseen", tabindex: -1, "aria-hidden": "true" });
  const names = begun.slice(0, SHOWN).map(({ path }) => h("li", {}, path));
  const drop = async () => {
    card.remove();
    (await resting(begun)).forEach(discard);
  };
  const card = h("section", { class: "uploads interrupted", "aria-label": t("interrupted.title", { n }) },
    h("header", {}, icon("restore"), h("h2", {}, t("interrupted.title", { n })), h("p", { class: "faint" }, t("interrupted.hint"))),
    h("ul", { class: "paths faint" }, names, n > SHOWN && h("li", {}, t("uploads.more", { n: n - SHOWN }))),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: drop }, t("interrupted.discard")),
      h("button", { type: "button", onclick: () => chooser.click() }, t("interrupted.choose")), chooser));
  chooser.addEventListener("change", () => goOn(begun, [...chooser.files]));
  return card;
}

// Go on with those whose files were chosen.
function goOn(begun, files) {
  const found = begun.flatMap(({ fingerprint: print, path }) => {
    const file = files.find((one) => fingerprint(owner, path, one) === print);
    return file ? [{ file, path }] : [];
  });
  if (found.length < files.length) toast(t("interrupted.other"), { wrong: true });
  attempt(() => upload(found));
}

function discard({ fingerprint: print, uploadUrl }) {
  places.forget(print);
  call("DELETE", uploadUrl, undefined, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {}); // the server forgets it in time
}
