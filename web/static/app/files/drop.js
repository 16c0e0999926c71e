// Files and folders that are dropped, pasted or chosen, on their way to the uploads: a list of { file, path }.

import { address, get, post, Refusal } from "../api.js";
import { tell } from "../changes.js";
import { attempt, toast } from "../dialog.js";
import { h } from "../dom.js";
import { loaded } from "../loading.js";
import { t } from "../text.js";

const join = (folder, path) => `${folder === "/" ? "" : folder}/${path}`;

// `items`: { file, path }, with the whole path that each shall have. The uploads are loaded when they are first needed.
async function upload(items) {
  if (!items.length) return toast(t("upload.nothing"));
  const uploads = await loaded(() => import("../uploads/start.js"));
  return uploads.upload(items);
}

// Let the person choose files, or one folder with all that is in it.
export function chooseFiles(folder, { folder: whole = false } = {}) {
  const input = h("input", { type: "file", multiple: true, webkitdirectory: whole, hidden: true, id: "chooser" });
  input.addEventListener("change", () => {
    input.remove();
    const placed = (file) => ({ file, path: join(folder, file.webkitRelativePath || file.name) });
    attempt(() => upload([...input.files].map(placed)));
  });
  input.addEventListener("cancel", () => input.remove());
  document.body.append(input);
  input.click();
}

// Take what is dropped on or pasted into the window while `root` is shown. `folder()` is where it goes, unless it is
// dropped on a folder: `folderAt(element)` gives that one's node. Returns what ends it.
export function acceptDrops(root, folder, folderAt) {
  const ending = new AbortController();
  const on = (type, act) => document.addEventListener(type, act, { signal: ending.signal });
  const goal = (target) => folderAt(target)?.path ?? folder();
  on("dragover", (event) => hasFiles(event.dataTransfer) && mark(event, root, folderAt));
  on("dragleave", (event) => event.relatedTarget || unmark(root));
  on("drop", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    unmark(root);
    const path = goal(event.target);
    attempt(() => uploadEntries(event.dataTransfer, path));
  });
  on("paste", (event) => {
    if (event.target.closest("input, textarea, dialog") || !event.clipboardData?.files.length) return;
    event.preventDefault();
    attempt(() => upload([...event.clipboardData.files].map((file) => ({ file, path: join(folder(), file.name) }))));
  });
  return () => { ending.abort(); unmark(root); };
}

const hasFiles = (transfer) => transfer?.types.includes("Files");

function mark(event, root, folderAt) {
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  unmark(root);
  const row = folderAt(event.target) && event.target.closest(".row");
  (row ?? root).classList.add("over");
}

function unmark(root) {
  root.classList.remove("over");
  for (const row of root.querySelectorAll(".row.over")) row.classList.remove("over");
}

// Entries have to be taken from the transfer at once: it is empty as soon as the event is over.
async function uploadEntries(transfer, folder) {
  const dropped = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = dropped.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const [files, empty] = [[], []];
  for (const entry of entries) await collect(entry, folder, files, empty);
  for (const path of new Set(empty.flatMap((path) => wayTo(path, folder)))) await makeFolder(path);
  if (empty.length) tell([folder]);
  if (files.length || !empty.length) await upload(files);
}

// Add what is in the entry to `files`, as { file, path }, and to `empty` the paths of folders that no file will make.
async function collect(entry, folder, files, empty) {
  const path = join(folder, entry.name);
  if (entry instanceof File) files.push({ file: entry, path });
  else if (entry.isFile) files.push({ file: await fileOf(entry), path });
  else {
    let found = false;
    for await (const child of childrenOf(entry)) {
      found = true;
      await collect(child, path, files, empty);
    }
    if (!found) empty.push(path);
  }
}

// The paths from the one right below `folder` to this one: "/a", "/a/b" for "/a/b" below "/".
function wayTo(path, folder) {
  const steps = path.slice(join(folder, "").length).split("/");
  return steps.map((_, index) => join(folder, steps.slice(0, index + 1).join("/")));
}

// One that is there already will do; a file of that name will not.
async function makeFolder(path) {
  try {
    await post(address("folders"), { path });
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 409)) throw error;
    await get(address("nodes", { path, limit: 1 }));
  }
}

const fileOf = (entry) => new Promise((resolve, reject) => { entry.file(resolve, reject); });

// A reader gives some entries at a time, and none at the end.
async function* childrenOf(directory) {
  const reader = directory.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return;
    yield* some;
  }
}
