// Files of which some bytes no longer match what was stored.

import { get } from "../api.js";
import { h, icon } from "../dom.js";
import { moment, size } from "../format.js";
import { t } from "../text.js";

export async function show(page) {
  const { items } = await get("/api/v1/admin/damaged");
  if (items.length) {
    page.append(h("section", { class: "card stack" },
      h("p", { class: "faint" }, t("damaged.hint")), h("ul", { class: "plain entries" }, items.map(entry))));
  } else {
    page.append(h("div", { class: "empty" }, icon("check"), h("h2", {}, t("damaged.empty")), h("p", {}, t("damaged.hint"))));
  }
}

function entry({ path, user, size: whole, damaged_at: found }) {
  const words = t("damaged.of", { user, size: size(whole), time: found ? moment(found) : "?" });
  return h("li", {}, icon("warning"), h("div", { class: "what" }, h("span", { class: "title" }, path), h("small", {}, words)));
}
