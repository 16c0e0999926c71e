// Search: every file and folder whose name has all of the words, wherever it is. The words are in the box on top.

import { address, get } from "../api.js";
import { attempt } from "../dialog.js";
import { h } from "../dom.js";
import { actionsFor } from "../files/actions.js";
import { ListView } from "../files/listview.js";
import { folderAddress, parentOf } from "../files/row.js";
import { MODIFIED, open, SIZE } from "../files/view.js";
import { go, title } from "../router.js";
import { t } from "../text.js";

const PAGE = 200;
const COLUMNS = [{ name: "location", text: ({ path }) => parentOf(path), title: ({ path }) => path }, SIZE, MODIFIED];
const box = document.getElementById("search").elements.q;

let shown = null;

export function show(root, params, leaving) {
  const heading = h("h1", {});
  const view = new ListView(root, {
    bar: h("div", { class: "bar" }, heading),
    empty: { picture: "search", title: t("search.nothing"), hint: t("search.nothing.hint") },
    label: t("search.label"), columns: COLUMNS,
    row: { meta: (node) => [parentOf(node.path), SIZE.text(node)].filter(Boolean).join(" · "), download: true },
    actions: (nodes) => withPlace(nodes, actionsFor(nodes, view.pages.items)),
    open: (node) => open(node, view.pages.items),
  });
  shown = { view, heading };
  leaving.addEventListener("abort", () => {
    if (location.pathname !== "/search") box.value = ""; // one that failed may be tried again
    view.end();
  });
  return look(params);
}

export const follow = (params) => attempt(() => look(params));

function look(params) {
  const { view, heading } = shown;
  const q = (params.get("q") ?? "").trim();
  if (document.activeElement !== box) box.value = q;
  heading.textContent = q ? t("search.for", { q }) : t("view.search");
  title(heading.textContent);
  const ask = (cursor, signal) => get(address("search", { q, limit: PAGE, cursor }), { signal });
  return view.load(q ? ask : async () => ({ items: [], next: null }), () => { view.pane.element.scrollTop = 0; });
}

// One thing that was found can be shown where it is.
function withPlace(nodes, actions) {
  if (nodes.length !== 1) return actions;
  const act = () => go(folderAddress(parentOf(nodes[0].path)));
  return [{ name: "place", label: t("search.place"), icon: "files", act }, ...actions];
}
