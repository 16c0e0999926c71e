// All that the application says, in one place. Sentences of refusals are the server's, and are shown as they came.

import { number } from "./format.js";

const plural = new Intl.PluralRules("en");

const TEXT = {
  cancel: "Cancel",
  close: "Close",
  download: "Download",
  "sign-out": "Sign out",
  shortcuts: "Keyboard shortcuts",
  "theme.auto": "As the system",
  "theme.light": "Light",
  "theme.dark": "Dark",
  "refused.offline": "The server cannot be reached. Try again in a moment.",
  "refused.status": "The server answered {status}.",
  "router.nothing": "There is no such page.",

  "view.files": "Files",
  "view.transfers": "Transfers",
  "view.bin": "Bin",
  "view.search": "Search",
  "view.account": "Account",
  "view.admin": "Admin",
  "view.welcome": "Welcome",

  "key.move": "Go up and down",
  "key.choose": "Choose, or not",
  "key.extend": "Choose a run",
  "key.all": "Choose all",
  "key.open": "Open",
  "key.up": "To the folder above",
  "key.rename": "Rename",
  "key.delete": "Delete",
  "key.menu": "All actions",
  "key.none": "Choose nothing",
  "key.search": "Search",
  "key.help": "These keys",

  "column.name": "Name",
  "column.size": "Size",
  "column.modified": "Modified",
  "column.chosen": "Chosen",
  "column.actions": "Actions",
  "files.label": "Files and folders",
  "files.root": "Files",
  "files.trail": "Folders above",
  "files.empty": "Nothing here yet",
  "files.empty.hint": "Drop files or folders on this page, paste them, or press Upload.",
  "files.loading": "Loading",
  "files.count": { one: "{n} item", other: "{n} items" },
  "files.counting": "{n} items so far",
  "row.choose": "Choose {name}",
  "row.damaged": "damaged",
  "row.damaged.title": "Some stored bytes no longer match their digests",
  "row.download": "Download {name}",
  "row.more": "Actions for {name}",
};

// The text of a key, with {name}s filled in. One with several forms takes the one that the number `n` asks for.
export function t(key, values = {}) {
  const entry = TEXT[key];
  if (entry === undefined) throw new Error(`no text for ${key}`);
  const form = typeof entry === "string" ? entry : entry[plural.select(values.n)];
  return form.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}
