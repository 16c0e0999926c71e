// The keys there are, shown on "?".

import { closeButton, show } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./text.js";

const KEYS = [
  ["↑ ↓", "move"], ["Space", "choose"], ["Shift + ↑ ↓", "extend"], ["Ctrl + A", "all"], ["A … Z", "spell"],
  ["Enter", "open"], ["Backspace", "up"],
  ["F2", "rename"], ["Delete", "delete"], ["Shift + F10", "menu"], ["Esc", "none"], ["/", "search"], ["?", "help"],
];

export const showShortcuts = () => show(t("shortcuts"), (close) => [
  closeButton(close),
  h("dl", { class: "keys" }, KEYS.map(([keys, what]) => [
    h("dt", {}, keys.split(" + ").flatMap((key, index) => [index ? " + " : null, h("kbd", {}, key)])),
    h("dd", {}, t(`key.${what}`)),
  ]).flat()),
]);
