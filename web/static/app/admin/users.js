// Who may come in, how much each has stored and may store; users are added, changed and removed here.

import { get } from "../api.js";
import { attempt } from "../dialog.js";
import { h, iconButton } from "../dom.js";
import { moment, size } from "../format.js";
import { t } from "../text.js";
import { addUser, changeUser } from "./user.js";

export async function show(page) {
  const body = h("tbody");
  const fill = async () => body.replaceChildren(...(await get("/api/v1/users")).items.map((user) => line(user, fill)));
  page.append(
    h(
      "div",
      { class: "buttons first" },
      h("button", { type: "button", onclick: async () => (await addUser()) && attempt(fill) }, t("users.new")),
    ),
    h(
      "section",
      { class: "card scroll users" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["name", "used", "quota", "since"].map((name) => h("th", { scope: "col" }, t(`users.${name}`))),
            h("td"),
          ),
        ),
        body,
      ),
    ),
  );
  await fill();
}

function line(user, fill) {
  const { name, is_admin: admin, used, files, quota, created_at: since } = user;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name, admin && h("span", { class: "tag" }, t("users.admin"))),
    h(
      "td",
      { class: "number" },
      `${size(used)} · ${t("account.files", { n: files })}`,
      quota !== null &&
        h("progress", { max: Math.max(1, quota), value: Math.min(used, quota), "aria-label": t("account.quota") }),
    ),
    h("td", { class: "number" }, quota === null ? t("users.quota.none") : size(quota)),
    h("td", { class: "number" }, moment(since)),
    h(
      "td",
      {},
      iconButton("rename", t("users.edit-of", { name }), async () => (await changeUser(user)) && attempt(fill)),
    ),
  );
}
