// The application starts here: the navigation, the search box, the menu of the person, and the first view.

import { attempt } from "./dialog.js";
import { h, icon } from "./dom.js";
import { listen as hear, start as listen } from "./live.js";
import { loaded } from "./loading.js";
import { menu } from "./menu.js";
import { go, start } from "./router.js";
import { showShortcuts } from "./shortcuts.js";
import { t } from "./text.js";
import { setTheme, theme, THEMES } from "./theme.js";
import { VIEWS } from "./views.js";

const TYPING = 250; // milliseconds after the last letter until what was found is shown anew

const { admin, user } = document.body.dataset;

function buildNavigation() {
  const mine = ({ place }) => place === "all" || (place === "admin" && admin === "true");
  const places = Object.entries(VIEWS).filter(([, view]) => mine(view));
  document.getElementById("nav").append(...places.map(([path, { name, icon: picture }]) =>
    h("a", { href: path }, icon(picture), h("span", {}, t(`view.${name}`)))));
}

function openPersonMenu(event) {
  const themes = THEMES.map((wanted) => ({
    label: t(`theme.${wanted}`), icon: wanted, checked: theme() === wanted, act: () => setTheme(wanted),
  }));
  const account = "/account" in VIEWS && { label: t("view.account"), icon: "account", act: () => go("/account") };
  menu([
    ...(account ? [account] : []),
    { label: t("shortcuts"), icon: "keyboard", act: showShortcuts, hint: "?" },
    null, ...themes, null,
    { label: t("sign-out"), icon: "sign-out", act: () => document.getElementById("sign-out").submit() },
  ], event.currentTarget, user);
}

const search = document.getElementById("search");
const searchFor = (replace) => go(`/search?${new URLSearchParams({ q: search.elements.q.value })}`, { replace });
let typing = 0;
search.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  searchFor(location.pathname === "/search");
});
search.addEventListener("input", () => {
  clearTimeout(typing);
  const goOn = () => location.pathname === "/search" && searchFor(true); // unless the person has left by then
  if (location.pathname === "/search") typing = setTimeout(goOn, TYPING);
});

// Keys that hold everywhere; those of a list are its own. Nothing is taken from a field that is being written in.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  if (event.key === "/") search.elements.q.select();
  else if (event.key === "?") showShortcuts();
  else return;
  event.preventDefault();
});

buildNavigation();
document.getElementById("who").addEventListener("click", openPersonMenu);
start(VIEWS);
listen();
const later = (load, act) => attempt(async () => act(await loaded(load)));
hear((event) => event.type === "prepared" && later(() => import("./files/prepare.js"), ({ tellOf }) => tellOf(event)));
if (Object.keys(localStorage).some((key) => key.startsWith("upload:"))) later(() => import("./uploads/interrupted.js"), ({ remind }) => remind());
