// Lines to paste into a download program: an address that needs no cookie, quoted for the shell it goes into.

import { address, post } from "../api.js";
import { attempt, closeButton, show, toast } from "../dialog.js";
import { copyText, h, icon } from "../dom.js";
import { exactly } from "../format.js";
import { t } from "../text.js";

const HOURS = [1, 24, 168];
const SHELLS = {
  posix: { label: "bash, zsh", quote: (text) => `'${text.replaceAll("'", "'\\''")}'`, program: (name) => name },
  // PowerShell has commands of its own by these names; with the ending it takes the programs.
  powershell: { label: "PowerShell", quote: (text) => `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`, program: (name) => `${name}.exe` },
};

// What each program is told, for a file `name` at `url`. Pure. A name that begins with a dash would be an option.
export function linesFor(name, url, shell) {
  const { quote, program } = SHELLS[shell];
  const [to, from] = [quote(`./${name}`), quote(url)];
  return {
    idm: url,
    curl: `${program("curl")} -fL -C - -o ${to} ${from}`,
    wget: `${program("wget")} -c -O ${to} ${from}`,
    aria2: `${program("aria2c")} -c -x 8 -s 8 -o ${quote(name)} ${from}`,
  };
}

export const showCopyLines = (file) => show(t("lines.title", { name: file.name }), (close) => {
  const lines = h("div", { class: "lines" });
  const until = h("p", { class: "faint", role: "status" });
  const hours = select(HOURS.map((n) => [n, t("lines.hours", { n })]), 24);
  const shell = select(Object.entries(SHELLS).map(([name, { label }]) => [name, label]), /win/i.test(navigator.platform) ? "powershell" : "posix");
  let link = null;
  const fill = () => lines.replaceChildren(...Object.entries(linesFor(file.name, link.url, shell.value)).map(([program, line]) => row(program, line)));
  const ask = () => attempt(async () => {
    link = await post(address(`files/${file.id}/link`), { hours: Number(hours.value) });
    until.textContent = t("lines.until", { when: exactly(link.expires_at) });
    fill();
  });
  hours.addEventListener("change", ask);
  shell.addEventListener("change", () => link && fill());
  ask();
  return [
    closeButton(close), h("p", { class: "faint" }, t("lines.hint")),
    h("div", { class: "pair" }, h("label", {}, t("lines.life"), hours), h("label", {}, t("lines.shell"), shell)),
    lines, until,
  ];
});

const select = (options, chosen) => h("select", { class: "select" }, options.map(([value, label]) =>
  h("option", { value: String(value), selected: value === chosen }, label)));

function row(program, line) {
  const copy = () => attempt(async () => { await copyText(line); toast(t("copied", { what: t(`lines.${program}`) })); });
  return h("div", { class: "copyline" }, h("strong", {}, t(`lines.${program}`)), h("code", { tabindex: 0 }, line),
    h("button", { type: "button", class: "quiet", onclick: copy, "aria-label": t("lines.copy", { program: t(`lines.${program}`) }) }, icon("copy")));
}
