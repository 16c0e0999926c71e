// Addresses and views, by the History API: one document, so that an upload survives a change of view. It must never know
// which views there are: they know it.

import { Refusal } from "./api.js";
import { dismiss } from "./dialog.js";
import { h } from "./dom.js";
import { loaded, NotLoaded, reload } from "./loading.js";
import { t } from "./text.js";

const main = document.getElementById("view");
let views = {};
let shown = { path: null, module: null, leaving: new AbortController() };
let at = ""; // the address that is shown, or on its way
let turn = 0; // counts the ways asked for; only the last one may end up on the page

// Go to an address of ours, as a click on a link does.
export function go(url, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  return render();
}

export function title(text) {
  document.title = `${text} · Stowgram`;
}

async function render() {
  const mine = ++turn;
  at = location.href;
  const { pathname, searchParams } = new URL(location);
  const view = views[pathname];
  dismiss();
  markCurrent(pathname);
  if (shown.path === pathname && shown.module.follow) return shown.module.follow(searchParams);
  const root = h("div", { class: `view ${view?.name ?? ""}` });
  try {
    if (!view) throw new Refusal(404, { detail: t("router.nothing") });
    const module = await loaded(view.load);
    if (mine !== turn) return undefined;
    leaveFor(pathname, module);
    title(t(`view.${view.name}`));
    main.replaceChildren(root);
    await module.show(root, searchParams, shown.leaving.signal);
  } catch (error) {
    if (mine !== turn) return undefined;
    leaveFor(null, null); // so that the same address, asked for again, is shown anew
    main.replaceChildren(failure(error));
    if (!(error instanceof Refusal)) throw error;
  }
  return undefined;
}

function leaveFor(path, module) {
  shown.leaving.abort();
  shown = { path, module, leaving: new AbortController() };
}

function failure(error) {
  const way = error instanceof NotLoaded
    ? h("button", { type: "button", onclick: reload }, t("loading.again"))
    : h("a", { href: "/", class: "button" }, t("view.files"));
  return h("div", { class: "empty", role: "alert" }, h("h1", {}, error.message), way);
}

function markCurrent(pathname) {
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// A plain click on a link to one of our views stays in this document; every other click is the browser's.
function onClick(event) {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !(url.pathname in views) || url.hash) return;
  event.preventDefault();
  go(url);
}

// `known`: the views by their paths, as in views.js.
export function start(known) {
  views = known;
  document.addEventListener("click", onClick);
  addEventListener("popstate", () => (location.href === at ? dismiss() : render())); // out of a dialog, or elsewhere
  return render();
}
