// Lines to paste into a download program, quoted for the shell that they go into.

import { attempt, toast } from "../dialog.js";
import { copyText, h, iconButton } from "../dom.js";
import { t } from "../text.js";

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

// The lines, and the choice of their shell; `show(name, url)` fills them in.
export class Lines {
  constructor() {
    const usual = /win/i.test(navigator.platform) ? "powershell" : "posix";
    this.shell = select(Object.entries(SHELLS).map(([name, { label }]) => [name, label]), usual);
    this.shell.addEventListener("change", () => this.#about && this.show(...this.#about));
  }

  element = h("div", { class: "lines" });
  #about = null;

  show(name, url) {
    this.#about = [name, url];
    const all = Object.entries(linesFor(name, url, this.shell.value));
    this.element.replaceChildren(...all.map(([program, line]) => row(program, line)));
  }
}

export const select = (options, chosen) => h("select", { class: "select" }, options.map(([value, label]) =>
  h("option", { value: String(value), selected: value === chosen }, label)));

function row(program, line) {
  const name = t(`lines.${program}`);
  const copy = () => attempt(async () => { await copyText(line); toast(t("copied", { what: name })); });
  return h("div", { class: "copyline" }, h("strong", {}, name), h("code", { tabindex: 0 }, line),
    iconButton("copy", t("lines.copy", { program: name }), copy));
}
