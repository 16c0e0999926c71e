// Files and folders that are dropped, pasted or chosen, on their way to the uploads: a list of { file, path }.

import { attempt, toast } from "../dialog.js";
import { h } from "../dom.js";
import { t } from "../text.js";

const join = (folder, path) => `${folder === "/" ? "" : folder}/${path}`;

// `items`: { file, path }, with the whole path that each shall have. The uploads are loaded when they are first needed.
async function upload(items) {
  if (!items.length) return toast(t("upload.nothing"));
  const uploads = await import("../uploads/start.js");
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
    attempt(async () => upload(await entriesOf(event.dataTransfer, path)));
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
async function entriesOf(transfer, folder) {
  const files = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = files.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const entry of entries) await collect(entry, folder, found);
  return found;
}

async function collect(entry, folder, found) {
  if (entry instanceof File) found.push({ file: entry, path: join(folder, entry.name) });
  else if (entry.isFile) found.push({ file: await fileOf(entry), path: join(folder, entry.name) });
  else for await (const child of childrenOf(entry)) await collect(child, join(folder, entry.name), found);
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
