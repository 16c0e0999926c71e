// The bin: what was deleted, until when it can be had back, and the ways to have it back or be rid of it.

import { address, get, remove } from "../api.js";
import { tell } from "../changes.js";
import { attempt, confirm, toast } from "../dialog.js";
import { h } from "../dom.js";
import { daysUntil, exactly, moment } from "../format.js";
import { ListView } from "../files/listview.js";
import { called, parentOf } from "../files/row.js";
import { restore } from "../files/verbs.js";
import { SIZE } from "../files/view.js";
import { t } from "../text.js";

const PAGE = 1000;

const left = (node) => t("bin.left", { n: daysUntil(node.expires_at) });
const COLUMNS = [
  { name: "location", text: ({ path }) => called(parentOf(path)), title: ({ path }) => path },
  SIZE,
  { name: "deleted", text: (node) => moment(node.deleted_at), title: (node) => exactly(node.deleted_at) },
  { name: "expires", text: left, title: (node) => exactly(node.expires_at) },
];

export function show(root, _params, leaving) {
  const term = h("p", { class: "faint term" });
  const empty = h("button", { type: "button", class: "quiet danger", disabled: true, onclick: emptyIt }, t("bin.empty"));
  const view = new ListView(root, {
    bar: h("div", { class: "bar" }, h("h1", {}, t("view.bin")), term, empty),
    empty: { picture: "bin", title: t("bin.nothing"), hint: t("bin.nothing.hint") },
    label: t("bin.label"), columns: COLUMNS,
    row: { meta: (node) => [called(parentOf(node.path)), left(node)].join(" · "), href: () => null },
    actions: actionsFor,
    open: (node) => bringBack([node]),
    onItems: (items) => { empty.disabled = !items.length; },
  });
  leaving.addEventListener("abort", () => view.end());
  return view.load((cursor, signal) => get(address("bin", { limit: PAGE, cursor }), { signal }), ({ days }) => {
    term.textContent = t("bin.term", { n: days });
  });
}

const actionsFor = (nodes) => (nodes.length ? [
  { name: "restore", label: t("restore"), icon: "restore", act: () => bringBack(nodes), bar: true },
  null,
  {
    name: "delete", label: t("delete.forever"), icon: "bin", act: () => destroy(nodes),
    bar: true, danger: true, hint: "Del",
  },
] : []);

async function bringBack(nodes) {
  if (await restore(nodes)) toast(t("restore.done", { n: nodes.length, name: nodes[0].name }));
}

const certain = (title) => confirm({ title, detail: t("delete.detail"), yes: t("delete.forever"), danger: true });

async function destroy(nodes) {
  if (!(await certain(t("delete.title", { n: nodes.length, name: nodes[0].name })))) return;
  await attempt(async () => {
    for (const { id } of nodes) await remove(address(`bin/${id}`));
  });
  tell([]);
}

async function emptyIt() {
  if (!(await certain(t("bin.empty.title")))) return;
  await attempt(() => remove(address("bin")));
  tell([]);
}
