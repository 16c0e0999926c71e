// A folder's ZIP that is made beforehand: asked for in a dialog, which may be closed, and told of when it is ready.

import { address, get, post, remove } from "../api.js";
import { attempt, closeButton, show, toast } from "../dialog.js";
import { h, save } from "../dom.js";
import { Preparation } from "../preparation.js";
import { t } from "../text.js";

// What shows a job of one's own; `begin` asks for the same again.
export const preparation = (folder) => new Preparation({
  t,
  begin: () => post(address(`folders/${folder}/prepare-download`), {}),
  look: (id) => get(address(`jobs/${id}`)),
  cancel: (id) => remove(address(`jobs/${id}`)),
});

export const showPrepare = (folder) => attempt(async () => {
  const shown = preparation(folder.id);
  await shown.start(); // a refusal is told before anything opens
  await show(t("prepare.title", { name: folder.name }), (close) => [
    closeButton(close), h("p", { class: "faint" }, t("prepare.hint")), shown.element,
  ]);
  shown.leave();
});

// The server's event: one's ZIP is ready, or will not be.
export const tellOf = ({ job_id: id, folder, status }) => attempt(async () => {
  if (document.querySelector(".preparation")) return; // somebody is looking at one
  const name = folder.slice(folder.lastIndexOf("/") + 1) || t("files.root");
  if (status === "failed") toast(t("prepare.not", { name }), { wrong: true });
  if (status !== "ready") return;
  const { download_url: url } = await get(address(`jobs/${id}`));
  toast(t("prepare.done", { name }), { action: t("download"), act: () => save(url) });
});
