// The form of one user: a new one, or one who is changed or removed. Each gives true when something was done.

import { patch, post, remove } from "../api.js";
import { attempt, confirm, show } from "../dialog.js";
import { h } from "../dom.js";
import { t } from "../text.js";

const GIB = 2 ** 30;
const LEAST = 8; // characters of a password, as the server asks

export const addUser = () => form(t("users.new"), t("users.add"), { name: "", is_admin: false, quota: null }, true,
  (body) => post("/api/v1/users", body));

export const changeUser = (user) => form(user.name, t("users.save"), user, false,
  ({ name, password, ...body }) => patch(`/api/v1/users/${user.id}`, password ? { ...body, password } : body));

async function form(title, yes, user, isNew, act) {
  const name = h("input", { name: "name", required: true, autocomplete: "off", maxlength: 100, autofocus: true });
  const password = h("input", { type: "password", name: "password", autocomplete: "new-password", required: isNew, minlength: LEAST });
  const quota = h("input", { type: "number", name: "quota", min: 0, step: "any", value: user.quota === null ? "" : user.quota / GIB });
  const admin = h("input", { type: "checkbox", name: "admin", checked: user.is_admin });
  const refusal = h("p", { class: "refusal", role: "alert" });
  return (await show(title, (close) => {
    const submit = async (event) => {
      event.preventDefault();
      const body = {
        name: name.value, password: password.value, is_admin: admin.checked, quota: quota.value === "" ? null : Math.round(Number(quota.value) * GIB),
      };
      await act(body).then(() => close(true), (error) => { refusal.textContent = error.message; });
    };
    return h("form", { onsubmit: submit },
      isNew && h("label", {}, t("users.name"), name),
      h("label", {}, t(isNew ? "users.password" : "users.password.new"), password),
      h("label", {}, t("users.quota.label"), quota),
      h("label", { class: "check" }, admin, t("users.is-admin")), refusal,
      h("div", { class: "buttons" },
        !isNew && h("button", { type: "button", class: "quiet danger aside", onclick: async () => (await removeUser(user)) && close(true) }, t("users.remove")),
        h("button", { type: "button", class: "quiet", onclick: () => close() }, t("cancel")), h("button", {}, yes)));
  })) === true;
}

async function removeUser({ id, name }) {
  const sure = await confirm({ title: t("users.remove.title", { name }), detail: t("users.remove.detail"), yes: t("users.remove"), danger: true });
  return sure && (await attempt(() => remove(`/api/v1/users/${id}`))) !== undefined;
}
