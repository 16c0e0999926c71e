// The form of one user: a new one, or one who is changed or removed. Each gives true when something was done.

import { patch, post, remove } from "../api.js";
import { attempt, confirm, sending, show } from "../dialog.js";
import { h } from "../dom.js";
import { t } from "../text.js";

const GIB = 2 ** 30;
const LEAST = 8; // characters of a password, as the server asks

export const addUser = () =>
  form(t("users.new"), t("users.add"), { name: "", is_admin: false, quota: null }, true, (body) =>
    post("/api/v1/users", body),
  );

export const changeUser = (user) =>
  form(user.name, t("users.save"), user, false, ({ name, password, ...body }) =>
    patch(`/api/v1/users/${user.id}`, password ? { ...body, password } : body),
  );

async function form(title, yes, user, isNew, act) {
  const fields = fieldsOf(user, isNew);
  const refusal = h("p", { class: "refusal", role: "alert" });
  const answer = await show(title, (close) => {
    const submit = sending((elements) => act(bodyOf(elements)).then(() => close(true)), refusal);
    const removal = { type: "button", class: "quiet danger aside", onclick: async () => (await removeUser(user)) && close(true) };
    return h("form", { onsubmit: submit }, fields, refusal, h("div", { class: "buttons" },
      !isNew && h("button", removal, t("users.remove")),
      h("button", { type: "button", class: "quiet", onclick: () => close() }, t("cancel")),
      h("button", {}, yes)));
  });
  return answer === true;
}

function fieldsOf({ quota, is_admin: admin }, isNew) {
  const gib = quota === null ? "" : quota / GIB;
  const field = (label, attributes) => h("label", {}, t(label), h("input", attributes));
  const password = { type: "password", name: "password", autocomplete: "new-password", required: isNew, minlength: LEAST };
  return [
    isNew && field("users.name", { name: "name", required: true, autocomplete: "off", maxlength: 100, autofocus: true }),
    field(isNew ? "users.password" : "users.password.new", password),
    field("users.quota.label", { type: "number", name: "quota", min: 0, step: "any", value: gib }),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "admin", checked: admin }), t("users.is-admin")),
  ];
}

const bodyOf = ({ name, password, admin, quota }) => ({
  name: name?.value,
  password: password.value,
  is_admin: admin.checked,
  quota: quota.value === "" ? null : Math.round(Number(quota.value) * GIB),
});

async function removeUser({ id, name }) {
  const sure = await confirm({
    title: t("users.remove.title", { name }),
    detail: t("users.remove.detail"),
    yes: t("users.remove"),
    danger: true,
  });
  return sure && (await attempt(() => remove(`/api/v1/users/${id}`))) !== undefined;
}
