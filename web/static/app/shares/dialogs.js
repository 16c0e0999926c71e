// To share a file or a folder: the links that lead to it, a new one, what to do with it, and changes of it.

import { address, get, patch, post, remove } from "../api.js";
import { attempt, closeButton, confirm, sending, show, toast } from "../dialog.js";
import { copyText, h, icon, iconButton } from "../dom.js";
import { Lines } from "../files/lines.js";
import { t } from "../text.js";
import { bytesOf, factsOf } from "./facts.js";
import { look } from "./known.js";
import { Terms } from "./terms.js";

// Ask on what terms, make the link, and show it.
export const share = (node) => attempt(async () => {
  const { items } = await get(address("shares", { [`${node.kind}_id`]: node.id }));
  const terms = new Terms();
  const made = await show(t("share.title", { name: node.name }), (close) => [
    closeButton(close),
    items.length > 0 && there(items, close),
    items.length > 0 && h("h3", {}, t("share.new")),
    form(close, terms, t("share.make"), h("p", { class: "faint" }, t(node.kind === "folder" ? "share.hint.folder" : "share.hint")),
      () => post(address("shares"), { [`${node.kind}_id`]: node.id, ...given(terms.values) })),
  ].filter(Boolean));
  if (!made) return;
  look();
  await showLink(made, terms.password);
});

// Other terms for a link that is there. Whether they were changed.
export const change = (of) => attempt(async () => {
  const terms = new Terms(of);
  const changed = await show(t("share.change"), (close) => [
    closeButton(close),
    form(close, terms, t("share.save"), h("p", { class: "faint" }, of.path ?? of.name),
      () => patch(address(`shares/${of.token}`), terms.values)),
  ]);
  if (changed) look();
  return changed !== null;
});

// Whether it was done.
export async function revoke(of) {
  const sure = await confirm({
    title: t("share.revoke.title", { name: of.name }), detail: t("share.revoke.detail"), yes: t("share.revoke"), danger: true,
  });
  if (!sure || (await attempt(() => remove(address(`shares/${of.token}`)))) === undefined) return false;
  toast(t("share.revoked"));
  look();
  return true;
}

export const copyLink = (of) => attempt(async () => {
  await copyText(of.url);
  toast(t("share.copied"));
});

// Null is for taking something away, which a new link does not have.
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

// `act()` gives what the dialog is closed with; while it is refused the form stays, and says why.
function form(close, terms, yes, about, act) {
  const refusal = h("p", { class: "refusal", role: "alert" });
  const submit = sending(async () => close(await act()), refusal);
  return h("form", { onsubmit: submit, class: "sharing" }, about, terms.element, refusal,
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: () => close() }, t("cancel")), h("button", {}, yes)));
}

function there(items, close) {
  const entry = (of) => h("li", {}, icon(of.has_password ? "lock" : "link"),
    h("div", { class: "what" }, h("small", {}, stateOf(of), factsOf(of))),
    iconButton("copy", t("share.copy-of", { name: of.name }), () => copyLink(of)),
    iconButton("rename", t("share.change-of", { name: of.name }), () => { close(); change(of); }));
  return h("section", { class: "there" },
    h("h3", {}, t("share.there", { n: items.length })), h("ul", { class: "plain entries" }, items.map(entry)));
}

// A tag for what is not in order, or nothing.
export function stateOf({ state }) {
  return state !== "active" && h("span", { class: "badge" }, t(`share.state.${state}`));
}

// The link, ready to be given on. `password` as long as it is known: nobody can tell it later.
const showLink = (of, password) => show(t("share.made"), (close) => {
  const lines = new Lines();
  lines.show(...bytesOf(of, password));
  const send = () => navigator.share({ title: of.name, url: of.url }).catch(() => {}); // the person thought better of it
  return [
    closeButton(close),
    h("p", { class: "link" }, h("code", { tabindex: 0 }, of.url)),
    password && h("p", {}, `${t("share.password")}: `, h("code", {}, password)),
    h("p", { class: "faint" }, factsOf(of)),
    h("details", {}, h("summary", {}, t("share.programs")),
      h("div", { class: "stack" }, h("label", {}, t("lines.shell"), lines.shell), lines.element)),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: () => close() }, t("share.done")),
      navigator.share && h("button", { type: "button", class: "quiet", onclick: send }, t("share.send")),
      h("button", { type: "button", autofocus: true, onclick: () => copyLink(of) }, icon("copy"), t("share.copy"))),
  ].filter(Boolean);
}, { stays: Boolean(password) });

// Lines for programs, of a link that was made before.
export const showLines = (of) => show(t("lines.title", { name: of.name }), (close) => {
  const lines = new Lines();
  lines.show(...bytesOf(of));
  return [
    closeButton(close),
    of.has_password && h("p", { class: "faint" }, t("share.programs.password")),
    h("label", {}, t("lines.shell"), lines.shell), lines.element,
  ].filter(Boolean);
});
