// Everybody's work in the background: what it is, how far, and what went wrong.

import { get } from "../api.js";
import { h, icon } from "../dom.js";
import { exactly, moment, number, size } from "../format.js";
import { t } from "../text.js";
import { every, refill } from "./every.js";

const EVERY = 3000; // milliseconds between two looks
const COLUMNS = ["about", "user", "status", "attempts", "made"];

export async function show(page, leaving) {
  const fill = async () => refill(page, table((await get("/api/v1/admin/jobs")).items));
  await fill();
  every(EVERY, fill, leaving);
}

function table(items) {
  if (!items.length) return h("div", { class: "empty" }, icon("check"), h("h2", {}, t("jobs.empty")), h("p", {}, t("jobs.hint")));
  const heads = COLUMNS.map((name) => h("th", { scope: "col" }, t(`jobs.${name}`)));
  const around = { class: "scroll", role: "region", tabindex: 0, "aria-label": t("admin.jobs") };
  return h("section", { class: "card stack" }, h("p", { class: "faint" }, t("jobs.hint")),
    h("div", around, h("table", { class: "jobs" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, items.map(row)))));
}

function row(job) {
  const about = job.folder ?? job.kind;
  return h("tr", { data: { status: job.status } },
    h("th", { scope: "row", title: about }, about), h("td", {}, job.user),
    h("td", {}, t(`jobs.status.${job.step ?? job.status}`), job.status === "processing" && bar(job, about),
      job.error && h("small", { class: "refusal", title: job.error }, job.error)),
    h("td", { class: "number" }, number(job.attempts)), h("td", { title: exactly(job.created_at) }, moment(job.created_at)));
}

const bar = ({ done, total }, label) => h("progress", {
  max: Math.max(1, total), value: done, "aria-label": label, title: t("uploads.of", { sent: size(done), size: size(total) }),
});
