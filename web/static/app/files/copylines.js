// Lines that fetch a file with a program, by an address that needs no cookie and ends by itself.

import { address, post } from "../api.js";
import { attempt, closeButton, show } from "../dialog.js";
import { h } from "../dom.js";
import { exactly } from "../format.js";
import { t } from "../text.js";
import { Lines, select } from "./lines.js";

const HOURS = [1, 24, 168];

export const showCopyLines = (file) => show(t("lines.title", { name: file.name }), (close) => {
  const lines = new Lines();
  const until = h("p", { class: "faint", role: "status" });
  const hours = select(HOURS.map((n) => [n, t("lines.hours", { n })]), 24);
  const ask = () => attempt(async () => {
    const wanted = hours.value;
    const link = await post(address(`files/${file.id}/link`), { hours: Number(wanted) });
    if (hours.value !== wanted) return; // another life was chosen meanwhile
    until.textContent = t("lines.until", { when: exactly(link.expires_at) });
    lines.show(file.name, link.url);
  });
  hours.addEventListener("change", ask);
  ask();
  return [
    closeButton(close), h("p", { class: "faint" }, t("lines.hint")),
    h("div", { class: "pair" }, h("label", {}, t("lines.life"), hours), h("label", {}, t("lines.shell"), lines.shell)),
    lines.element, until,
  ];
});
