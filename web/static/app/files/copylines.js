// Lines to paste into a download program: an address that needs no cookie, quoted for the shell it goes into.

import { address, post } from "../api.js";
import { attempt, closeButton, show, toast } from "../dialog.js";
import { copyText, h, iconButton } from "../dom.js";
import { exactly } from "../format.js";
import { t } from "../text.js";

const HOURS = [1, 24, 168];
const SHELLS = {
  posix: {
    label: "bash, zsh",
    quote: (text) => `'${text.replaceAll("'", "'\\''")}'`,
    program: (name) => name,
    saved: (name) => name,
  },
  powershell: {
    label: "PowerShell",
    // In these quotes nothing is a command for cmd either, where people paste such lines, too. PowerShell takes all of
    // these for double quotes.
    quote: (text) => `"${text.replaceAll(/[`$"\u201c\u201d\u201e]/g, "`$&")}"`,
    program: (name) => `${name}.exe`, // it has commands of its own by the short names
    saved: (name) => name.replaceAll(/[<>:"|?*]/g, "_"), // Windows has no such names, and a quote would end the argument
  },
};

// What each program is told, for a file `name` at `url`. Pure. A name that begins with a dash would be an option.
export function linesFor(name, url, shell) {
  const { quote, program, saved } = SHELLS[shell];
  const [to, from] = [quote(`./${saved(name)}`), quote(url)];
  return {
    idm: url,
    curl: `${program("curl")} -fL -C - -o ${to} ${from}`,
    wget: `${program("wget")} -c -O ${to} ${from}`,
    aria2: `${program("aria2c")} -c -x 8 -s 8 -o ${quote(saved(name))} ${from}`,
  };
}

export const showCopyLines = (file) => show(t("lines.title", { name: file.name }), (close) => {
  const lines = h("div", { class: "lines" });
  const until = h("p", { class: "faint", role: "status" });
  const hours = select(HOURS.map((n) => [n, t("lines.hours", { n })]), 24);
  const usual = /win/i.test(navigator.platform) ? "powershell" : "posix";
  const shell = select(Object.entries(SHELLS).map(([name, { label }]) => [name, label]), usual);
  let link = null;
  const fill = () => {
    const all = Object.entries(linesFor(file.name, link.url, shell.value));
    lines.replaceChildren(...all.map(([program, line]) => row(program, line)));
  };
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
  const name = t(`lines.${program}`);
  const copy = () => attempt(async () => { await copyText(line); toast(t("copied", { what: name })); });
  return h("div", { class: "copyline" }, h("strong", {}, name), h("code", { tabindex: 0 }, line),
    iconButton("copy", t("lines.copy", { program: name }), copy));
}
