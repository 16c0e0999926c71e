// The Account view: how much is stored, the password, where one is signed in, and tokens for programs.

import { get } from "../api.js";
import { attempt } from "../dialog.js";
import { h } from "../dom.js";
import { exactly, size } from "../format.js";
import { t } from "../text.js";
import { passwordForm } from "./password.js";
import { sessionsSection } from "./sessions.js";
import { tokensSection } from "./tokens.js";

export async function show(root) {
  const [account, sessions, tokens] = await Promise.all(
    ["account", "sessions", "tokens"].map((name) => get(`/api/v1/${name}`)),
  );
  let signedIn = sessionsSection(sessions.items);
  const page = h("div", { class: "page narrow" }, person(account), passwordForm(), signedIn, tokensSection(tokens.items));
  const again = async () => {
    const before = signedIn;
    signedIn = sessionsSection((await get("/api/v1/sessions")).items);
    before.replaceWith(signedIn);
  };
  page.addEventListener("changed", () => attempt(again));
  root.append(h("div", { class: "bar" }, h("h1", {}, t("view.account"))), page);
}

function person({ name, created_at: since, used, quota, files }) {
  const count = t("account.files", { n: files });
  const words =
    quota === null
      ? t("account.used", { used: size(used), files: count })
      : t("account.used-of", { used: size(used), quota: size(quota), files: count });
  return h(
    "section",
    { class: "card person" },
    h("span", { class: "avatar", "aria-hidden": "true" }, name[0].toUpperCase()),
    h(
      "div",
      { class: "what" },
      h("h2", {}, name),
      h("p", { class: "faint" }, t("account.since", { time: exactly(since) })),
      h("p", { class: "number" }, words),
      quota !== null &&
        h("progress", { max: Math.max(1, quota), value: Math.min(used, quota), "aria-label": t("account.quota") }),
    ),
  );
}
