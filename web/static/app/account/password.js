// The form for another password. All other sessions end with the old one: its event "changed" tells of that.

import { call } from "../api.js";
import { sending, toast } from "../dialog.js";
import { h } from "../dom.js";
import { t } from "../text.js";

const LEAST = 8; // characters, as the server asks

export function passwordForm() {
  const field = (name, label, autocomplete) =>
    h(
      "label",
      {},
      label,
      h("input", { type: "password", name, autocomplete, required: true, minlength: name === "old" ? null : LEAST }),
    );
  const refusal = h("p", { class: "refusal", role: "alert" });
  const form = h(
    "form",
    { class: "card stack", onsubmit: sending(() => change(form, refusal), refusal) },
    h("h2", {}, t("password.title")),
    h("input", {
      class: "unseen",
      name: "username",
      autocomplete: "username",
      value: document.body.dataset.user,
      tabindex: -1,
      "aria-hidden": "true",
      readonly: true,
    }),
    h(
      "div",
      { class: "fields" },
      field("old", t("password.old"), "current-password"),
      field("new", t("password.new"), "new-password"),
      field("again", t("password.again"), "new-password"),
    ),
    refusal,
    h("div", { class: "buttons" }, h("button", {}, t("password.change"))),
  );
  return form;
}

async function change(form, refusal) {
  const fields = form.elements;
  refusal.textContent = fields.new.value === fields.again.value ? "" : t("password.differ");
  if (refusal.textContent) return;
  const { sessions_ended: n } = await call("PUT", "/api/v1/account/password", {
    old: fields.old.value,
    new: fields.new.value,
  });
  form.reset();
  toast(t("password.changed", { n }));
  form.dispatchEvent(new Event("changed", { bubbles: true }));
}
