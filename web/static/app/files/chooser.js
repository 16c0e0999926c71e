// Choose a folder: go down and up the tree, make one on the way.

import { address, get, post } from "../api.js";
import { tell } from "../changes.js";
import { ask, closeButton, show } from "../dialog.js";
import { h, icon } from "../dom.js";
import { t } from "../text.js";
import { called, parentOf } from "./row.js";

const PAGE = 1000;

// The path of the folder, or null. `without`: ids of folders that are not offered; `refuses(path)`: not this one.
export function chooseFolder({ title, yes, from, without, refuses }) {
  return show(title, (close) => {
    const list = h("div", { class: "folders" });
    const here = h("p", { class: "here", "aria-live": "polite" });
    const refusal = h("p", { class: "refusal", role: "alert" });
    const accept = h("button", { type: "button", onclick: () => close(path) }, yes);
    const make = h("button", { type: "button", class: "quiet apart", onclick: () => makeIn(path, enter) }, t("new-folder"));
    let path = null; // of the folder that is shown
    let entering;
    const offer = () => {
      make.disabled = path === null;
      accept.disabled = path === null || refuses(path);
    };
    // The folder that was left is neither to accept nor to make one in: until the next one is there, none is.
    const enter = async (wanted) => {
      entering = wanted;
      accept.disabled = make.disabled = true;
      refusal.textContent = "";
      try {
        const folders = await foldersIn(wanted);
        if (entering !== wanted) return;
        path = wanted;
        here.textContent = called(path);
        list.replaceChildren(...rows(path, folders.filter(({ id }) => !without.has(id)), enter));
        list.querySelector("button")?.focus();
      } catch (error) {
        if (entering !== wanted) return;
        refusal.textContent = error.message;
        if (path === null) list.replaceChildren(wayUp(wanted, enter)); // or nothing but to close it
      }
      offer();
    };
    enter(from);
    return [closeButton(close), here, list, refusal, h("div", { class: "buttons" }, make, accept)];
  });
}

const wayUp = (path, enter) => (path === "/" ? "" : h("button", { type: "button", onclick: () => enter(parentOf(path)) },
  icon("left"), h("span", {}, t("chooser.up"))));

function rows(path, folders, enter) {
  const down = folders.map((folder) => h("button", { type: "button", onclick: () => enter(folder.path) },
    icon("folder"), h("span", {}, folder.name), icon("right")));
  const none = !folders.length && h("p", { class: "faint" }, t("chooser.none"));
  return [wayUp(path, enter), ...down, none].filter(Boolean);
}

// Folders come first in a listing, so the first file ends them.
async function foldersIn(path) {
  let [folders, cursor] = [[], null];
  do {
    const page = await get(address("nodes", { path, limit: PAGE, cursor }));
    folders = folders.concat(page.items.filter(({ kind }) => kind === "folder"));
    cursor = page.items.at(-1)?.kind === "folder" ? page.next : null;
  } while (cursor);
  return folders;
}

const makeIn = (parent, enter) => ask({
  title: t("new-folder"), label: t("name"), yes: t("create"),
  act: async (name) => {
    const made = await post(address("folders"), { name, parent });
    tell([parent]);
    await enter(made.path);
  },
});
