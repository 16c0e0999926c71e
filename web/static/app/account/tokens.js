// Tokens for programs: made, shown once, revoked.

import { get, post, remove } from "../api.js";
import { attempt, confirm, sending, show, toast } from "../dialog.js";
import { copyText, h } from "../dom.js";
import { moment } from "../format.js";
import { t } from "../text.js";

const LIVES = [30, 90, 365]; // days
const DAY = 86_400_000; // milliseconds

export function tokensSection(tokens) {
  const list = h("ul", { class: "plain entries" });
  const fill = (items) =>
    list.replaceChildren(...(items.length ? items.map(line) : [h("li", { class: "faint" }, t("tokens.empty"))]));
  const again = async () => fill((await get("/api/v1/tokens")).items);
  fill(tokens);
  list.addEventListener("revoked", () => attempt(again));
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, t("tokens.title")),
    h("p", { class: "faint" }, t("tokens.hint")),
    list,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: async () => (await make()) && attempt(again) }, t("tokens.new")),
    ),
  );
}

function line({ id, name, created_at: made, last_used_at: used, expires_at: end }) {
  const words = [
    used ? t("tokens.used", { made: moment(made), used: moment(used) }) : t("tokens.unused", { made: moment(made) }),
    end && t("tokens.expires", { time: moment(end) }),
  ]
    .filter(Boolean)
    .join(" · ");
  const element = h(
    "li",
    {},
    h("div", { class: "what" }, h("span", { class: "title" }, name), h("small", {}, words)),
    h(
      "button",
      { type: "button", class: "quiet", "aria-label": t("tokens.revoke-of", { name }), onclick: revoke },
      t("tokens.revoke"),
    ),
  );
  async function revoke() {
    const sure = await confirm({
      title: t("tokens.revoke.title", { name }),
      detail: t("tokens.revoke.detail"),
      yes: t("tokens.revoke"),
      danger: true,
    });
    if (sure && (await attempt(() => remove(`/api/v1/tokens/${id}`))) !== undefined)
      element.dispatchEvent(new Event("revoked", { bubbles: true }));
  }
  return element;
}

// Ask what for, make it, and show it. Whether one was made.
async function make() {
  const secret = await show(t("tokens.new"), (close) => {
    const refusal = h("p", { class: "refusal", role: "alert" });
    const life = h(
      "select",
      { name: "life" },
      LIVES.map((n) => h("option", { value: n }, t("tokens.days", { n }))),
      h("option", { value: "" }, t("tokens.for-ever")),
    );
    const name = h("input", { name: "name", required: true, maxlength: 100, autocomplete: "off", autofocus: true });
    const submit = sending(async () => {
      const body = { name: name.value };
      if (life.value) body.expires_at = new Date(Date.now() + Number(life.value) * DAY).toISOString();
      close((await post("/api/v1/tokens", body)).token);
    }, refusal);
    return h(
      "form",
      { onsubmit: submit },
      h("label", {}, t("tokens.name"), name),
      h("label", {}, t("tokens.life"), life),
      refusal,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "quiet", onclick: () => close() }, t("cancel")),
        h("button", {}, t("tokens.make")),
      ),
    );
  });
  if (secret) await showOnce(secret);
  return Boolean(secret);
}

const showOnce = (secret) => show(t("tokens.made"), (close) => {
  const copy = async () => {
    await copyText(secret);
    toast(t("tokens.copied"));
  };
  return h("div", { class: "stack" },
    h("p", {}, t("tokens.once")),
    h("pre", { class: "copyable", tabindex: 0 }, secret),
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "quiet", autofocus: true, onclick: () => attempt(copy) }, t("tokens.copy")),
      h("button", { type: "button", onclick: () => close() }, t("tokens.done"))));
}, { stays: true });
