// What happened, of everybody, the latest first; it goes on while one looks.

import { address, get } from "../api.js";
import { h } from "../dom.js";
import { exactly, moment } from "../format.js";
import { t } from "../text.js";
import { every } from "./every.js";

const EVERY = 5000; // milliseconds between two looks
const MOST = 500; // lines
const WRONG = new Set(["sign_in_failed", "damaged"]);

export async function show(page, leaving) {
  const list = h("ol", { class: "plain entries log", reversed: true });
  const empty = h("p", { class: "faint" }, t("log.empty"));
  let last = null;
  const look = async () => {
    const news = await get(address("admin/events", { since: last }));
    last = news.last;
    list.prepend(...news.events.map(line).reverse());
    while (list.childElementCount > MOST) list.lastElementChild.remove();
    empty.hidden = list.childElementCount > 0;
  };
  await look();
  page.append(h("section", { class: "card" }, list, empty));
  every(EVERY, look, leaving);
}

const line = (event) =>
  h(
    "li",
    { class: WRONG.has(event.type) && "wrong" },
    h("time", { class: "faint number", datetime: event.at, title: exactly(event.at) }, moment(event.at)),
    h("span", {}, sentence(event)),
  );

const KNOWN = new Set([
  "file_available",
  "folder_made",
  "removed",
  "restored",
  "damaged",
  "prepared",
  "shared",
  "share_changed",
  "unshared",
  "signed_in",
  "sign_in_failed",
  "user_added",
  "user_removed",
  "user_changed",
  "password_changed",
]);

function sentence(event) {
  const values = { ...event, user: event.user ?? t("log.nobody"), n: event.ids?.length ?? 1 };
  if (event.type === "moved") return t(event.from === event.to ? "log.renamed" : "log.moved", values);
  return t(KNOWN.has(event.type) ? `log.${event.type}` : "log.other", values);
}
