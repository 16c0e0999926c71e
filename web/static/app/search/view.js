// Search: every file and folder whose name has all of the words, wherever it is. The words are in the box on top.

import { address, get } from "../api.js";
import { attempt } from "../dialog.js";
import { h } from "../dom.js";
import { actionsFor } from "../files/actions.js";
import { ListView } from "../files/listview.js";
import { called, folderAddress, parentOf } from "../files/row.js";
import { MODIFIED, open, SIZE } from "../files/view.js";
import { go, title } from "../router.js";
import { t } from "../text.js";

const PAGE = 1000; // by size or time each page costs as much as all of them would
const COLUMNS = [{ name: "location", text: ({ path }) => called(parentOf(path)), title: ({ path }) => path }, SIZE, MODIFIED];
const NOTHING = { picture: "search", title: t("search.nothing"), hint: t("search.nothing.hint") };
const NO_WORDS = { picture: "search", title: t("search.no-words"), hint: t("search.nothing.hint") };
const box = document.getElementById("search").elements.q;

let shown = null;

export function show(root, params, leaving) {
  const heading = h("h1", {});
  const view = new ListView(root, {
    bar: h("div", { class: "bar" }, heading),
    empty: NO_WORDS,
    label: t("search.label"), columns: COLUMNS,
    row: { meta: (node) => [called(parentOf(node.path)), SIZE.text(node)].filter(Boolean).join(" · "), download: true },
    actions: (nodes) => withPlace(nodes, actionsFor(nodes, view.pages.items)),
    open: (node) => open(node, view.pages.items),
    onSort: (by) => sortBy(by),
  });
  shown = { view, heading, params, sort: { by: "name", order: "asc" } };
  leaving.addEventListener("abort", () => {
    if (location.pathname !== "/search") box.value = ""; // one that failed may be tried again
    view.end();
  });
  return look(params);
}

export const follow = (params) => attempt(() => look(params));

// What is said of a search is said when its rows take the place of those before.
function look(params) {
  const { view, heading, sort: { by, order } } = shown;
  const q = (params.get("q") ?? "").trim();
  shown.params = params;
  if (document.activeElement !== box) box.value = q;
  const ask = (cursor, signal) => get(address("search", { q, limit: PAGE, cursor, sort: by, order }), { signal });
  return view.load(q ? ask : async () => ({ items: [], next: null }), () => {
    heading.textContent = q ? t("search.for", { q }) : t("view.search");
    title(heading.textContent);
    view.showEmpty(q ? NOTHING : NO_WORDS);
    view.pane.list.showSort(by, order);
    view.pane.element.scrollTop = 0;
  });
}

function sortBy(by) {
  const { sort, params } = shown;
  shown.sort = { by, order: sort.by === by && sort.order === "asc" ? "desc" : "asc" };
  return attempt(() => look(params));
}

// One thing that was found can be shown where it is.
function withPlace(nodes, actions) {
  if (nodes.length !== 1) return actions;
  const act = () => go(folderAddress(parentOf(nodes[0].path)));
  return [{ name: "place", label: t("search.place"), icon: "files", act }, ...actions];
}
