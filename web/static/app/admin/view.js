// The Admin view: how the house is, its users, damaged files, and the log; one part at a time.

import { attempt } from "../dialog.js";
import { h } from "../dom.js";
import { loaded } from "../loading.js";
import { t } from "../text.js";

const PARTS = {
  overview: () => import("./overview.js"),
  users: () => import("./users.js"),
  damaged: () => import("./damaged.js"),
  jobs: () => import("./jobs.js"),
  log: () => import("./log.js"),
};

let shown = null;

export function show(root, params, leaving) {
  const parts = h(
    "nav",
    { class: "parts", "aria-label": t("admin.parts") },
    Object.keys(PARTS).map((name) => h("a", { href: `/admin?part=${name}`, data: { part: name } }, t(`admin.${name}`))),
  );
  const page = h("div", { class: "page", tabindex: 0 });
  root.append(h("div", { class: "bar" }, h("h1", {}, t("view.admin")), parts), page);
  shown = { parts, page, leaving, part: new AbortController(), coming: null };
  return enter(params);
}

export const follow = (params) => attempt(() => enter(params));

// A part exports `show(page, leaving)`, as a view does. The one before stays, and stays marked, until the next is there;
// of several that were asked for, the last one comes.
async function enter(params) {
  const mine = shown;
  const name = params.get("part") in PARTS ? params.get("part") : "overview";
  const coming = new AbortController();
  mine.coming?.abort();
  mine.coming = coming;
  const next = h("div", { class: "part" });
  const part = await loaded(PARTS[name]);
  await part.show(next, AbortSignal.any([mine.leaving, coming.signal]));
  if (coming.signal.aborted) return;
  mine.part.abort();
  [mine.part, mine.coming] = [coming, null];
  mine.page.replaceChildren(next);
  mark(mine.parts, name);
}

// A phone has no room for all of the links: the one that is marked is brought into sight.
function mark(parts, name) {
  for (const link of parts.children) {
    if (link.dataset.part === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  parts.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "center" });
}
