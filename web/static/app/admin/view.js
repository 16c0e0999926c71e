// The Admin view: how the house is, its users, damaged files, and the log; one part at a time.

import { attempt } from "../dialog.js";
import { h } from "../dom.js";
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
  shown = { parts, page, leaving, part: new AbortController() };
  return enter(params);
}

export const follow = (params) => attempt(() => enter(params));

// A part exports `show(page, leaving)`, as a view does. The one before stays until the next is there.
async function enter(params) {
  const mine = shown;
  const name = params.get("part") in PARTS ? params.get("part") : "overview";
  for (const link of mine.parts.children) {
    if (link.dataset.part === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const part = await PARTS[name]();
  const next = h("div", { class: "part" });
  const leaving = new AbortController();
  await part.show(next, AbortSignal.any([mine.leaving, leaving.signal]));
  mine.part.abort();
  mine.part = leaving;
  mine.page.replaceChildren(next);
}
