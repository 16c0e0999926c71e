// Which verbs are offered for what is chosen, by menu, bar and key.

import { attempt } from "../dialog.js";
import { loaded } from "../loading.js";
import { t } from "../text.js";
import { previewOf } from "./kinds.js";
import { copy, copyLink, download, move, remove, rename } from "./verbs.js";

const later = (load, verb) => (...about) => attempt(async () => (await loaded(load))[verb](...about));
const showDetails = later(() => import("./details.js"), "showDetails");
const share = later(() => import("../shares/dialogs.js"), "share");
const showPrepare = later(() => import("./prepare.js"), "showPrepare");
const showCopyLines = later(() => import("./copylines.js"), "showCopyLines");

// Look at a file: `preview(node, among)`; `among` are those that come before and after it.
export const preview = later(() => import("./preview.js"), "showPreview");

// As ListView wants them; `among` is the list that the nodes are in.
export function actionsFor(nodes, among) {
  if (!nodes.length) return [];
  const [node] = nodes;
  const one = nodes.length === 1;
  const file = one && node.kind === "file";
  return [
    file && previewOf(node) && { name: "preview", icon: "eye", act: () => preview(node, among) },
    { name: "download", icon: "download", act: () => download(nodes), bar: true },
    one && !file && { name: "prepare", icon: "archive", act: () => showPrepare(node) },
    file && { name: "copylines", icon: "code", act: () => showCopyLines(node) },
    one && { name: "share", icon: "share", act: () => share(node), bar: true },
    one && { name: "link", icon: "link", act: () => copyLink(node) },
    null,
    one && { name: "rename", icon: "rename", act: () => rename(node), hint: "F2" },
    { name: "move", icon: "move", act: () => move(nodes), bar: true },
    { name: "copy", icon: "copy", act: () => copy(nodes), bar: true },
    one && { name: "details", icon: "info", act: () => showDetails(node) },
    null,
    { name: "delete", icon: "bin", act: () => remove(nodes), bar: true, danger: true, hint: "Del" },
  ].filter((action) => action !== false && action !== undefined)
    .map((action) => action && { label: t(action.name), ...action })
    .filter((action, index, all) => action || (index > 0 && all[index - 1]));
}
