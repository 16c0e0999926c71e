// What can be done with files and folders: each verb asks what it has to, does it, and tells what changed.

import { address, get, patch, post, Refusal } from "../api.js";
import { tell } from "../changes.js";
import { ask, attempt, choose, confirm, toast } from "../dialog.js";
import { copyText, save } from "../dom.js";
import { loaded } from "../loading.js";
import { t } from "../text.js";
import { chooseFolder } from "./chooser.js";
import { stemLength } from "./kinds.js";
import { addressOf, called, downloadAddress, parentOf } from "./row.js";

const AT_ONCE = 1000; // ids that one request may name

const foldersOf = (nodes) => [...new Set(nodes.map(({ path }) => parentOf(path)))];
const idsOf = (nodes) => nodes.map(({ id }) => id);
const batches = (nodes) =>
  Array.from({ length: Math.ceil(nodes.length / AT_ONCE) }, (_, index) => nodes.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
const about = (nodes) => ({ n: nodes.length, name: nodes[0]?.name });

// Of those that were chosen, as in a search, the ones that lie in none of the others: these take the rest along. Within
// one request the server sees to that; a later one would take a node out of the folder that it went with.
function topmost(nodes) {
  const chosen = new Set(nodes.map(({ path }) => path));
  const liesInOne = (folder) => folder !== "/" && (chosen.has(folder) || liesInOne(parentOf(folder)));
  return nodes.filter(({ path }) => !liesInOne(parentOf(path)));
}

// Hand the bytes to the browser's own downloads: each file when its turn comes, a folder as a ZIP.
export const download = (nodes) => attempt(async () => {
  const line = await loaded(() => import("../transfers/line.js"));
  for (const node of nodes) {
    if (node.kind === "folder") save(downloadAddress(node));
    else attempt(() => line.download(node));
  }
});

export const newFolder = (parent) => ask({
  title: t("new-folder"), label: t("name"), yes: t("create"),
  act: async (name) => {
    await post(address("folders"), { name, parent });
    tell([parent]);
  },
});

export const rename = (node) => ask({
  title: t("rename.title", about([node])), label: t("name"), value: node.name, select: stemLength(node), yes: t("rename"),
  act: async (name) => {
    if (name === node.name) return;
    await patch(address(`${node.kind}s/${node.id}`), { name });
    tell(foldersOf([node]));
  },
});

export const move = (nodes) => transfer("move", topmost(nodes));
export const copy = (nodes) => transfer("copy", topmost(nodes));

// Into another folder that the person chooses, by "move" or "copy".
async function transfer(verb, nodes) {
  const parent = await chooseFolder({
    title: t(`${verb}.title`, about(nodes)), yes: t(`${verb}.here`), from: parentOf(nodes[0].path),
    without: new Set(nodes.filter(({ kind }) => kind === "folder").map(({ id }) => id)),
    refuses: (path) => verb === "move" && nodes.every((node) => parentOf(node.path) === path),
  });
  if (parent !== null) await into(verb, nodes, parent);
}

export const moveInto = (nodes, parent) => into("move", topmost(nodes), parent);

// What is in the way there keeps its name. What was done is told, though the rest be refused or given up.
const into = (verb, nodes, parent) => attempt(async () => {
  const done = [];
  try {
    for await (const some of send(verb, nodes, parent)) done.push(...some);
  } finally {
    if (done.length) tellDone(verb, done, nodes.length, parent);
  }
});

function tellDone(verb, done, total, parent) {
  tell([...foldersOf(done), parent]);
  const words = { ...about(done), total, folder: called(parent) };
  toast(done.length === total ? t(`${verb}.done`, words) : t(`${verb}.part`, words));
}

// Gives those that are done, batch after batch. Where a name is taken it goes on from there when the person has both
// kept, and ends when not: a batch is done as a whole or not at all.
async function* send(verb, nodes, parent) {
  let policy = "refuse";
  const put = (some) => post(address(`nodes/${verb}`), { ids: idsOf(some), parent, if_exists: policy });
  for (const some of batches(nodes)) {
    try {
      await put(some);
    } catch (error) {
      if (!(error instanceof Refusal) || error.type !== "conflict" || policy !== "refuse") throw error;
      const answer = await choose({
        title: t("taken.title"), detail: error.message, options: [{ value: "rename", label: t("taken.both") }],
      });
      if (!answer) return;
      policy = answer.value;
      await put(some);
    }
    yield some;
  }
}

// Into the bin, with a way back; without a bin it asks first. What was done is told, though the rest be refused.
export const remove = (chosen) => attempt(async () => {
  const nodes = topmost(chosen);
  const { days } = await get(address("bin", { limit: 1 }));
  const certain = days > 0 || (await confirm({
    title: t("delete.title", about(nodes)), detail: t("delete.detail"), yes: t("delete"), danger: true,
  }));
  if (!certain) return;
  const done = [];
  try {
    for (const some of batches(nodes)) {
      await post(address("nodes/delete"), { ids: idsOf(some) });
      done.push(...some);
    }
  } finally {
    if (done.length) tellRemoved(done, days);
  }
});

function tellRemoved(nodes, days) {
  tell(foldersOf(nodes));
  if (days) toast(t("delete.binned", about(nodes)), { action: t("undo"), act: () => restore(nodes) });
  else toast(t("delete.done", about(nodes)));
}

// Out of the bin, to where it was; where the name is taken by now the person gives another path. Whether all went well.
export const restore = (nodes) => attempt(async () => {
  try {
    for (const node of nodes) await restoreOne(node);
  } finally {
    tell(); // of those that are back, though another was refused
  }
  return true;
});

async function restoreOne(node) {
  try {
    await post(address(`bin/${node.id}/restore`), {});
  } catch (error) {
    if (!(error instanceof Refusal) || error.type !== "conflict") throw error;
    await restoreElsewhere(node, error.message);
  }
}

const restoreElsewhere = (node, why) => ask({
  title: t("restore.elsewhere", about([node])), label: why, value: node.path, yes: t("restore"),
  act: (path) => post(address(`bin/${node.id}/restore`), { path }),
});

// The address that a signed-in person opens: a folder's view, a file's bytes.
export const copyLink = (node) => attempt(async () => {
  await copyText(new URL(addressOf(node), location).href);
  toast(t("link.copied"));
});
