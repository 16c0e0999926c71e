// The Shares view: every link that was given to others, how it is used, and its end.

import { address, get } from "../api.js";
import { listen } from "../changes.js";
import { attempt } from "../dialog.js";
import { h, icon, iconButton } from "../dom.js";
import { exactly, moment } from "../format.js";
import { folderAddress, parentOf } from "../files/row.js";
import { menu } from "../menu.js";
import { t } from "../text.js";
import { change, copyLink, revoke, showLines, stateOf } from "./dialogs.js";
import { factsOf } from "./facts.js";

const PAGE = 200;

export function show(root, _params, leaving) {
  const view = new SharesView(root);
  leaving.addEventListener("abort", listen(() => attempt(() => view.load())));
  return view.load();
}

class SharesView {
  #list = h("ul", { class: "cards" });
  #more = h("button", { type: "button", class: "quiet", onclick: () => attempt(() => this.#showMore()) }, t("shares.more"));
  #empty = h("div", { class: "empty", hidden: true },
    icon("link"), h("h2", {}, t("shares.empty")), h("p", {}, t("shares.empty.hint")));
  #next = null;

  constructor(root) {
    root.append(h("div", { class: "bar" }, h("h1", {}, t("view.shares"))),
      h("div", { class: "page", tabindex: 0 }, this.#list, h("div", { class: "buttons first" }, this.#more), this.#empty));
  }

  // From the start.
  async load() {
    this.#show(await get(address("shares", { limit: PAGE })), []);
  }

  async #showMore() {
    this.#show(await get(address("shares", { limit: PAGE, cursor: this.#next })), [...this.#list.children]);
  }

  #show({ items, next }, before) {
    this.#next = next;
    this.#list.replaceChildren(...before, ...items.map((item) => this.#card(item)));
    this.#more.hidden = next === null;
    this.#empty.hidden = this.#list.childElementCount > 0;
  }

  #card(of) {
    const name = of.name || t("files.root");
    const again = async (act) => (await act) && attempt(() => this.load());
    const open = (event) => menu([
      { label: t("copylines"), icon: "code", act: () => showLines(of) },
      { label: t("share.change"), icon: "rename", act: () => again(change(of)) },
      null,
      { label: t("share.revoke"), icon: "close", danger: true, act: () => again(revoke(of)) },
    ], event.currentTarget, t("row.more", { name }));
    return h("li", { class: "card share", data: { state: of.state, kind: of.kind } },
      icon(of.kind === "folder" ? "folder" : "file"),
      h("div", { class: "what" },
        h("h2", {}, h("a", { href: of.url, target: "_blank", rel: "noopener" }, name), stateOf(of),
          of.has_password && h("span", { class: "tag" }, t("share.locked"))),
        h("p", { class: "number" }, factsOf(of)),
        h("p", { class: "faint", title: exactly(of.created_at) }, placeOf(of), t("share.since", { time: moment(of.created_at) }))),
      iconButton("copy", t("share.copy-of", { name }), () => copyLink(of)),
      iconButton("more", t("row.more", { name }), open, { "aria-haspopup": "menu" }));
  }
}

// The way to where it lies, and a dot behind; nothing while it is in the bin.
function placeOf({ path }) {
  if (path === null) return null;
  const folder = parentOf(path);
  return h("span", {}, h("a", { href: folderAddress(folder) }, folder === "/" ? t("files.root") : folder), " · ");
}
