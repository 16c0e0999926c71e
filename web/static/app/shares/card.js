// One link among all of them: where it leads, how it is used, and what can be done with it.

import { h, icon, iconButton } from "../dom.js";
import { exactly, moment } from "../format.js";
import { called, folderAddress, parentOf } from "../files/row.js";
import { menu } from "../menu.js";
import { t } from "../text.js";
import { change, copyLink, revoke, showLines, stateOf } from "./dialogs.js";
import { factsOf } from "./facts.js";

export class ShareCard {
  // `onChange()` is called when the person has changed or revoked it.
  constructor({ kind }, onChange) {
    this.#onChange = onChange;
    this.element = h("li", { class: "card share", data: { kind } },
      icon(kind === "folder" ? "folder" : "file"), this.#what, this.#copy, this.#more);
  }

  #onChange;
  #of = null;
  #what = h("div", { class: "what" });
  #copy = iconButton("copy", "", () => copyLink(this.#of));
  #more = iconButton("more", "", () => this.#openMenu(), { "aria-haspopup": "menu" });

  // Only where something changed: what has the focus keeps it.
  show(of) {
    if (JSON.stringify(of) === JSON.stringify(this.#of)) return;
    this.#of = of;
    const name = nameOf(of);
    this.element.dataset.state = of.state;
    label(this.#copy, t("share.copy-of", { name }));
    label(this.#more, t("row.more", { name }));
    this.#what.replaceChildren(
      h("h2", {}, h("a", { href: of.url, target: "_blank", rel: "noopener" }, name), stateOf(of),
        of.has_password && h("span", { class: "tag" }, t("share.locked"))),
      h("p", { class: "number" }, factsOf(of)),
      h("p", { class: "faint", title: exactly(of.created_at) }, placeOf(of), t("share.since", { time: moment(of.created_at) })));
  }

  #openMenu() {
    const of = this.#of;
    const done = async (act) => (await act(of)) && this.#onChange();
    menu([
      { label: t("copylines"), icon: "code", act: () => showLines(of) },
      { label: t("share.change"), icon: "rename", act: () => done(change) },
      null,
      { label: t("share.revoke"), icon: "close", danger: true, act: () => done(revoke) },
    ], this.#more, t("row.more", { name: nameOf(of) }));
  }
}

const nameOf = ({ name }) => name || t("files.root");

function label(button, text) {
  button.title = text;
  button.setAttribute("aria-label", text);
}

// The way to where it lies, and a dot behind; nothing while it is in the bin.
function placeOf({ path }) {
  if (path === null) return null;
  const folder = parentOf(path);
  return h("span", {}, h("a", { href: folderAddress(folder) }, called(folder)), " · ");
}
