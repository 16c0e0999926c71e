// What shall become of a file whose name is taken: asked one at a time, or answered once for all of them.

import { choose } from "../dialog.js";
import { called } from "../files/row.js";
import { t } from "../text.js";

let forAll = null;
let line = Promise.resolve(); // one question at a time

// "replace", "keep" (both) or "skip". `item` is a Sending; `signal` says that nobody waits for the answer any more.
export function decide(item, signal) {
  line = line.then(() => verdictOn(item, signal));
  return line;
}

// A new choice of files asks anew.
export function forget() {
  forAll = null;
}

async function verdictOn(item, signal) {
  if (forAll) return forAll;
  if (signal.aborted) return "skip"; // paused or given up while another one was asked about
  const answer = await choose({
    title: t("conflict.title", { name: item.name }),
    detail: t("conflict.detail", { folder: called(item.folder) }),
    options: [
      { value: "keep", label: t("conflict.keep") },
      { value: "replace", label: t("conflict.replace"), danger: true },
      { value: "skip", label: t("conflict.skip") },
    ],
    all: t("conflict.all"),
    stays: true,
    signal,
  });
  if (answer?.all) forAll = answer.value;
  return answer?.value ?? "skip";
}
