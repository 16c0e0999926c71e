// Which verbs are offered for what is chosen, by menu, bar and key.

import { t } from "../text.js";
import { previewOf } from "./kinds.js";
import { copy, copyLink, download, move, remove, rename } from "./verbs.js";

const showDetails = async (node) => (await import("./details.js")).showDetails(node);
const share = async (node) => (await import("../shares/dialogs.js")).share(node);
const showPrepare = async (node) => (await import("./prepare.js")).showPrepare(node);
const showCopyLines = async (node) => (await import("./copylines.js")).showCopyLines(node);

// Look at a file; `among` are those that come before and after it.
export const preview = async (node, among) => (await import("./preview.js")).showPreview(node, among);

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
