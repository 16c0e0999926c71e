// The part of a form that says on what terms a share is given: password, end, limits.

import { h } from "../dom.js";
import { moment } from "../format.js";
import { select } from "../files/lines.js";
import { t } from "../text.js";

const DAYS = [1, 7, 30, 365];
const USUAL = 30;
const DAY = 86_400_000; // milliseconds
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"; // none that is taken for another
const LENGTH = 12; // 60 bits

export class Terms {
  // `share` when it is there already; then only what is changed is sent.
  constructor(share = null) {
    this.#share = share;
    this.#password = h("input", {
      name: "password", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 1024,
      placeholder: t(share?.has_password ? "share.password.kept" : "share.password.none"),
    });
    this.#ends = this.#choiceOfEnd();
    this.#numbers = {
      max_downloads: limit(share?.max_downloads, 1), rate_limit_kb: limit(share?.rate_limit_kb, 1),
      max_connections: limit(share?.max_connections, 1),
    };
    this.element = h("div", { class: "stack" }, this.#passwordField(), this.#endField(), this.#limits());
  }

  #share;
  #password;
  #take = h("input", { type: "checkbox", name: "take" });
  #ends;
  #when = h("input", { type: "datetime-local", name: "when", required: true, disabled: true });
  #numbers;

  // The password as it was written, "" for none.
  get password() {
    return this.#password.value;
  }

  // As the API takes it.
  get values() {
    const values = {};
    if (this.#take.checked) values.password = null;
    else if (this.#password.value) values.password = this.#password.value;
    if (this.#ends.value === "at") values.expires_at = new Date(this.#when.value).toISOString();
    else if (this.#ends.value === "never") values.expires_at = null;
    else if (this.#ends.value !== "kept") values.expires_at = new Date(Date.now() + Number(this.#ends.value) * DAY).toISOString();
    for (const [name, input] of Object.entries(this.#numbers)) values[name] = input.value ? Number(input.value) : null;
    return values;
  }

  #passwordField() {
    const make = () => {
      const random = crypto.getRandomValues(new Uint8Array(LENGTH));
      this.#password.value = [...random].map((byte) => LETTERS[byte % LETTERS.length]).join("");
      this.#take.checked = false;
    };
    return h("div", { class: "stack close-by" },
      h("label", {}, t("share.password"),
        h("span", { class: "beside" }, this.#password,
          h("button", { type: "button", class: "quiet", onclick: make }, t("share.password.make")))),
      this.#share?.has_password && h("label", { class: "check" }, this.#take, t("share.password.take")));
  }

  #choiceOfEnd() {
    const end = this.#share?.expires_at;
    return select([
      ...(end ? [["kept", t("share.ends.kept", { time: moment(end) })]] : []),
      ["never", t("share.ends.never")], ...DAYS.map((n) => [n, t("share.ends.days", { n })]), ["at", t("share.ends.at")],
    ], this.#share ? (end ? "kept" : "never") : USUAL);
  }

  #endField() {
    const when = h("label", { hidden: true }, t("share.ends.when"), this.#when);
    this.#ends.addEventListener("change", () => {
      when.hidden = this.#ends.value !== "at";
      this.#when.disabled = when.hidden;
      if (!when.hidden) this.#when.focus();
    });
    return h("div", { class: "stack" }, h("label", {}, t("share.ends"), this.#ends), when);
  }

  #limits() {
    const { max_downloads: downloads, rate_limit_kb: rate, max_connections: connections } = this.#numbers;
    const open = Object.values(this.#numbers).some(({ value }) => value);
    const counted = h("p", { id: "counted", class: "faint", hidden: !downloads.value }, t("share.downloads.counted"));
    downloads.setAttribute("aria-describedby", counted.id);
    downloads.addEventListener("input", () => { counted.hidden = !downloads.value; });
    return h("details", { open }, h("summary", {}, t("share.limits")),
      h("div", { class: "stack" },
        h("div", { class: "stack close-by" }, h("label", {}, t("share.downloads"), downloads), counted),
        h("label", {}, t("share.rate"), rate), h("label", {}, t("share.connections"), connections)));
  }
}

const limit = (value, min) => h("input", {
  type: "number", min, max: 1_000_000_000, step: 1, inputmode: "numeric", value: value ?? "", placeholder: t("share.unlimited"),
});
