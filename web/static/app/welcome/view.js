// The first-run page: from the sandbox to a real Telegram channel, step by step. It writes the lines of .env for copying;
// what is typed here is never sent anywhere.

import { attempt, toast } from "../dialog.js";
import { copyText, h, icon } from "../dom.js";
import { t } from "../text.js";
import { complete, lines } from "./settings.js";

const link = (href, text) => h("a", { href, target: "_blank", rel: "noreferrer" }, text);
const APPS = () => link("https://my.telegram.org", "my.telegram.org");
const BOT_FATHER = () => link("https://t.me/BotFather", "@BotFather");

export function show(root) {
  const [env, commands] = [code(""), code("")];
  const wait = h("p", { class: "faint", "aria-live": "polite" });
  const fields = h("form", { class: "steps", autocomplete: "off", onsubmit: (event) => event.preventDefault() },
    step(1, t("welcome.app.title"), said("welcome.app.text", APPS()), application()),
    step(2, t("welcome.channel.title"), said("welcome.channel.text"), channel()),
    step(3, t("welcome.who.title"), said("welcome.who.text"), workers()),
    step(4, t("welcome.file.title"), said("welcome.file.text"), env, wait),
    step(5, t("welcome.start.title"), said("welcome.start.text"), commands, said("welcome.start.after")));
  const update = () => {
    const answers = answersOf(fields);
    env.write(lines(answers).join("\n"));
    wait.textContent = complete(answers) ? "" : t("welcome.file.wait");
    commands.write([answers.account && "python run.py login", "python run.py"].filter(Boolean).join("\n"));
    for (const part of fields.querySelectorAll("[data-when]")) part.hidden = !answers[part.dataset.when];
  };
  fields.addEventListener("input", update);
  update();
  const connected = !document.querySelector(".sandbox");
  root.append(h("div", { class: "bar" }, h("h1", {}, t("welcome.title"))), h("div", { class: "page narrow" },
    h("p", { class: "lead" }, t(connected ? "welcome.connected" : "welcome.sandbox")),
    h("p", { class: "faint private" }, icon("admin"), t("welcome.private")), fields));
}

const application = () => h("div", { class: "fields" },
  field("id", t("welcome.app.id"), { inputmode: "numeric", pattern: "[0-9]{1,10}", title: t("welcome.app.id.wrong") }),
  field("hash", t("welcome.app.hash"), { pattern: "[0-9a-fA-F]{32}", title: t("welcome.app.hash.wrong") }));

function answersOf({ elements }) {
  const text = (name) => elements[name].value.trim();
  const make = elements.channel.value === "make";
  return {
    id: text("id"),
    hash: text("hash"),
    make,
    have: !make,
    channel: text(make ? "title" : "place"),
    account: elements.account.checked,
    bots: elements.bots.checked,
    tokens: text("tokens")
      .split(/[\s,]+/)
      .filter(Boolean),
  };
}

const step = (n, title, ...children) =>
  h(
    "section",
    { class: "card stack step" },
    h(
      "h2",
      {},
      h("span", { class: "unseen" }, t("welcome.step", { n })),
      h("span", { class: "digit", "aria-hidden": "true" }, String(n)),
      title,
    ),
    children,
  );

// A sentence, with a link where it has {link}.
function said(key, node) {
  const [before, after] = t(key, { link: "\u0000" }).split("\u0000");
  return h("p", {}, before, node, after);
}

const field = (name, label, attributes = {}) =>
  h("label", {}, label, h("input", { name, spellcheck: "false", autocapitalize: "off", ...attributes }));
const tick = (type, name, label, attributes) =>
  h("label", { class: "check" }, h("input", { type, name, ...attributes }), label);

const channel = () =>
  h(
    "div",
    { class: "stack" },
    h(
      "fieldset",
      {},
      h("legend", { class: "unseen" }, t("welcome.channel.title")),
      tick("radio", "channel", t("welcome.channel.have"), { value: "have", checked: true }),
      tick("radio", "channel", t("welcome.channel.make"), { value: "make" }),
    ),
    h(
      "div",
      { data: { when: "have" } },
      field("place", t("welcome.channel.id"), {
        pattern: "-?[0-9]{5,}|@?[A-Za-z][A-Za-z0-9_]{3,}|https://t\\.me/.+",
        title: t("welcome.channel.id.wrong"),
      }),
    ),
    h(
      "div",
      { data: { when: "make" } },
      field("title", t("welcome.channel.name"), { value: "Stowgram", maxlength: 128 }),
    ),
  );

const workers = () =>
  h(
    "div",
    { class: "stack" },
    h(
      "div",
      {},
      tick("checkbox", "account", t("welcome.who.account"), { checked: true }),
      h("p", { class: "faint under" }, t("welcome.who.account.text")),
    ),
    h(
      "div",
      {},
      tick("checkbox", "bots", t("welcome.who.bots")),
      (() => {
        const text = said("welcome.who.bots.text", BOT_FATHER());
        text.className = "faint under";
        return text;
      })(),
    ),
    h(
      "div",
      { data: { when: "bots" } },
      h(
        "label",
        {},
        t("welcome.bots.tokens"),
        h("textarea", { name: "tokens", rows: 3, spellcheck: "false", title: t("welcome.bots.wrong") }),
      ),
    ),
  );

// Lines to be copied: `write(text)` shows others.
function code(text) {
  const pre = h("pre", { class: "copyable", tabindex: 0 }, text);
  const copy = h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () =>
        attempt(async () => {
          await copyText(pre.textContent);
          toast(t("welcome.copied"));
        }),
    },
    icon("copy"),
    t("welcome.copy"),
  );
  return Object.assign(h("div", { class: "code" }, pre, copy), {
    write: (now) => {
      pre.textContent = now;
    },
  });
}
