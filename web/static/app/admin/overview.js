// How the house is: database, Telegram and its accounts, what is stored, the cache, limits, the process.

import { get } from "../api.js";
import { h, icon } from "../dom.js";
import { duration, moment, number, size, speed } from "../format.js";
import { t } from "../text.js";
import { every, refill } from "./every.js";

const EVERY = 5000; // milliseconds between two looks

// What each section shows, and how; what a system does not tell is left out.
const PARTS = {
  storage: { files: number, bytes: size, stored_bytes: size, binned_bytes: size, messages: number, trash: number },
  cache: {
    size,
    bytes_in_memory: size,
    pieces_on_disk: number,
    memory_hits: number,
    disk_hits: number,
    misses: number,
    shared: number,
    refetched: number,
    bytes_hit: size,
    bytes_fetched: size,
    evictions: number,
    not_written: number,
    errors: number,
  },
  limits: {
    chunk_size: size,
    staging_size: size,
    cache_size: size,
    max_concurrent_downloads: number,
    max_concurrent_downloads_per_user: number,
    max_connections_per_download: number,
    download_rate_limit: rate,
    total_rate_limit: rate,
    download_stall_seconds: duration,
    shutdown_seconds: duration,
  },
  process: {
    process_start_time_seconds: (began) => duration(Date.now() / 1000 - began),
    process_cpu_seconds_total: duration,
    process_threads: number,
    process_resident_memory_bytes: size,
    process_open_fds: number,
  },
  account: {
    name: String,
    window: number,
    in_flight: number,
    waiting: number,
    connections: number,
    pace: (state) => t(`admin.pace.${state}`),
    flood_wait: duration,
    flood_waits: number,
  },
};

export async function show(page, leaving) {
  const look = async () => refill(page, ...overview(await get("/api/v1/admin")));
  await look();
  every(EVERY, look, leaving);
}

function overview(answer) {
  const limits = facts("limits", answer.limits);
  limits.querySelector("h2").after(h("p", { class: "faint" }, t("admin.limits.hint")));
  const cache = answer.cache
    ? facts("cache", answer.cache)
    : section(t("admin.cache"), h("p", { class: "faint" }, t("admin.cache.none")));
  return [
    health(answer),
    h("div", { class: "grid" }, facts("storage", answer.storage), cache, limits, facts("process", answer.process),
      ...(answer.object_storage ? [objects(answer.object_storage)] : [])),
    accounts(answer.accounts),
  ];
}

function health({ version, mode, database, telegram, jobs, object_storage: storage }) {
  const objects = storage?.trouble ?? "ok";
  const trouble = Object.entries({ database, telegram, jobs, objects }).filter(([, said]) => said !== "ok");
  const ready = !trouble.length;
  const verdict = ready ? t("admin.well") : trouble.map(([name, said]) => `${t(`admin.${name}`)}: ${said}`).join(" · ");
  return h(
    "section",
    { class: "card health", data: { ready } },
    icon(ready ? "check" : "warning"),
    h(
      "div",
      { class: "what" },
      h("h2", {}, verdict),
      h("p", { class: "faint" }, `${t(`admin.mode.${mode}`)} · ${t("admin.version", { version })}`),
    ),
  );
}

// Where prepared ZIPs rest.
function objects({ ready, trouble, since }) {
  if (ready) return section(t("admin.objects"), h("p", {}, icon("check"), t("admin.objects.ready")));
  return section(
    t("admin.objects"),
    h("p", { class: "refusal" }, t("admin.objects.since", { trouble, time: moment(since) })),
    h("p", { class: "faint" }, t("admin.objects.hint")),
  );
}

const section = (title, ...children) => h("section", { class: "card stack" }, h("h2", {}, title), children);

// Names and values side by side.
function facts(part, of) {
  const shown = Object.entries(PARTS[part]).filter(([name]) => name in of);
  const pairs = shown.flatMap(([name, how]) => [
    h("dt", {}, t(`admin.${part}.${name}`)),
    h("dd", { class: "number" }, how(of[name])),
  ]);
  return section(t(`admin.${part}`), h("dl", { class: "figures" }, pairs));
}

function accounts(items) {
  if (!items.length) return section(t("admin.accounts"), h("p", { class: "faint" }, t("admin.accounts.none")));
  const columns = Object.entries(PARTS.account);
  const heads = columns.map(([name]) => h("th", { scope: "col" }, t(`admin.account.${name}`)));
  const row = (item) => columns.map(([name, how]) => h("td", { class: "number" }, how(item[name])));
  const rows = items.map((item) => h("tr", {}, row(item)));
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
  const around = { class: "scroll", role: "region", tabindex: 0, "aria-label": t("admin.accounts") };
  return section(t("admin.accounts"), h("div", around, table));
}

function rate(perSecond) {
  return perSecond ? speed(perSecond) : t("admin.none");
}
