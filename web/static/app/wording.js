// Texts by key. Pure.

import { number } from "./format.js";

const plural = new Intl.PluralRules("en");

// What tells the text of a key, with {name}s filled in. One with several forms takes the one that the number `n` asks for.
export const teller = (texts) => (key, values = {}) => {
  const entry = texts[key];
  if (entry === undefined) throw new Error(`no text for ${key}`);
  const form = typeof entry === "string" ? entry : entry[plural.select(values.n)];
  const written = (value) => (typeof value === "number" ? number(value) : value);
  return form.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
};
