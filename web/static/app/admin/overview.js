// How the house is: database, Telegram and its accounts, what is stored, the cache, limits, the process.

import { get } from "../api.js";
import { attempt } from "../dialog.js";
import { h, icon } from "../dom.js";
import { duration, number, size, speed } from "../format.js";
import { t } from "../text.js";

const EVERY = 5000; // milliseconds between two looks

export async function show(page) {
  page.append(...overview(await get("/api/v1/admin")));
  const timer = setInterval(async () => {
    const answer = document.hidden ? null : await attempt(() => get("/api/v1/admin"));
    if (answer) page.replaceChildren(...overview(answer));
  }, EVERY);
  return () => clearInterval(timer);
}

const overview = (answer) => [
  health(answer),
  h(
    "div",
    { class: "grid" },
    storage(answer.storage),
    cache(answer.cache),
    limits(answer.limits),
    process(answer.process),
  ),
  accounts(answer.accounts),
];

function health({ version, mode, ready, database, telegram }) {
  const trouble = [
    ["database", database],
    ["telegram", telegram],
  ].filter(([, said]) => said !== "ok");
  return h(
    "section",
    { class: "card health", data: { ready } },
    icon(ready ? "check" : "warning"),
    h(
      "div",
      { class: "what" },
      h(
        "h2",
        {},
        ready ? t("admin.well") : trouble.map(([name, said]) => `${t(`admin.${name}`)}: ${said}`).join(" · "),
      ),
      h("p", { class: "faint" }, `${t(`admin.mode.${mode}`)} · ${t("admin.version", { version })}`),
    ),
  );
}

const section = (title, ...children) => h("section", { class: "card stack" }, h("h2", {}, title), children);

// Names and values side by side.
const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "number" }, value)]),
  );

function storage(held) {
  const shown = ["files", "bytes", "stored_bytes", "binned_bytes", "messages", "trash"].filter((name) => name in held);
  return section(
    t("admin.storage"),
    facts(
      shown.map((name) => [t(`admin.storage.${name}`), name.endsWith("bytes") ? size(held[name]) : number(held[name])]),
    ),
  );
}

function cache(of) {
  if (!of) return section(t("admin.cache"), h("p", { class: "faint" }, t("admin.cache.none")));
  const rest = Object.entries(of).filter(([name]) => name !== "size");
  return section(
    t("admin.cache"),
    facts([[wordsOf("size"), size(of.size)], ...rest.map(([name, value]) => [wordsOf(name), amount(name, value)])]),
  );
}

const limits = (of) =>
  section(
    t("admin.limits"),
    h("p", { class: "faint" }, t("admin.limits.hint")),
    facts(Object.entries(of).map(([name, value]) => [wordsOf(name), amount(name, value)])),
  );

const process = (of) =>
  section(
    t("admin.process"),
    facts(
      Object.entries(of).map(([name, value]) => [
        name === "process_start_time_seconds" ? t("admin.running") : wordsOf(name.replace(/^process_|_total$/g, "")),
        amount(name, value),
      ]),
    ),
  );

function accounts(items) {
  if (!items.length) return section(t("admin.accounts"), h("p", { class: "faint" }, t("admin.accounts.none")));
  const names = Object.keys(items[0]);
  return section(
    t("admin.accounts"),
    h(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": t("admin.accounts") },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            names.map((name) => h("th", { scope: "col" }, wordsOf(name))),
          ),
        ),
        h(
          "tbody",
          {},
          items.map((item) =>
            h(
              "tr",
              {},
              names.map((name) => h("td", { class: "number" }, amount(name, item[name]))),
            ),
          ),
        ),
      ),
    ),
  );
}

// The server's names are words already: "download_stall_seconds" -> "Download stall"; the value has its unit.
const wordsOf = (name) =>
  (name.charAt(0).toUpperCase() + name.slice(1)).replace(/_(seconds|bytes)$/, "").replaceAll("_", " ");

function amount(name, value) {
  if (value === null) return t("admin.none");
  if (typeof value === "boolean") return t(value ? "admin.yes" : "admin.no");
  if (typeof value !== "number") return String(value);
  if (/start_time/.test(name)) return duration(Date.now() / 1000 - value);
  if (/rate_limit/.test(name)) return value ? speed(value) : t("admin.none");
  if (/size|bytes|memory/.test(name)) return size(value);
  if (/seconds|wait/.test(name)) return duration(value);
  return number(Math.round(value * 100) / 100);
}
