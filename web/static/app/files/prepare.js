// A folder's ZIP that is made beforehand: asked for in a dialog, which may be closed, and told of when it is ready.

import { address, get, post, remove } from "../api.js";
import { attempt, closeButton, show, toast } from "../dialog.js";
import { h, save } from "../dom.js";
import { Preparation } from "../preparation.js";
import { t } from "../text.js";

// What shows a job of one's own; `begin` asks for the same again, with what is in `wishes` by then.
export const preparation = (folder, wishes = {}) => new Preparation({
  t,
  begin: () => post(address(`folders/${folder}/prepare-download`), wishes),
  look: (id) => get(address(`jobs/${id}`)),
  cancel: (id) => remove(address(`jobs/${id}`)),
});

export const showPrepare = (folder) => attempt(async () => {
  const wishes = {};
  const shown = preparation(folder.id, wishes);
  await shown.start(); // a refusal is told before anything opens
  await show(t("prepare.title", { name: folder.name }), (close) => [
    closeButton(close), h("p", { class: "faint" }, t("prepare.hint")), shown.element,
    document.body.dataset.letters === "true" && letter(shown, wishes),
  ].filter(Boolean));
  shown.leave();
});

// A letter to an address that is kept nowhere here. Who asks once more joins what is being made, and adds where to write to.
function letter(shown, wishes) {
  const said = h("p", { class: "faint", role: "status" });
  const email = h("input", { type: "email", name: "email", required: true, autocomplete: "email", maxlength: 254 });
  const submit = async (event) => {
    event.preventDefault();
    const before = wishes.email;
    wishes.email = email.value;
    try {
      await shown.start();
      said.className = "faint";
      said.textContent = t("prepare.letter.coming", { email: wishes.email });
    } catch (error) {
      wishes.email = before;
      said.className = "refusal";
      said.textContent = error.message;
    }
  };
  return h("form", { class: "letter stack close-by", onsubmit: submit },
    h("label", {}, t("prepare.letter"), h("span", { class: "beside" }, email, h("button", { class: "quiet" }, t("prepare.letter.ask")))),
    said);
}

// The server's event: one's ZIP is ready, or will not be.
export const tellOf = ({ job_id: id, folder, status }) => attempt(async () => {
  if (document.querySelector(".preparation")) return; // somebody is looking at one
  const name = folder.slice(folder.lastIndexOf("/") + 1) || t("files.root");
  if (status === "failed") toast(t("prepare.not", { name }), { wrong: true });
  if (status !== "ready") return;
  const { download_url: url } = await get(address(`jobs/${id}`));
  toast(t("prepare.done", { name }), { action: t("download"), act: () => save(url) });
});
