// Elements without markup strings: names and contents that people store are text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

// h("button", { class: "quiet", onclick: act, disabled: false, data: { id: 7 }, "aria-label": "Close" }, "text", node).
// null, undefined and false leave an attribute or a child out.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// A picture of the sheet in templates/icons.svg. It says nothing to a screen reader: what it stands on has a name.
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(svg, name) {
  svg.firstChild.setAttribute("href", `#i-${name}`);
}

// A square button that shows a picture and says `label`.
export function iconButton(name, label, onclick, attributes = {}) {
  const usual = { type: "button", class: "icon-button", "aria-label": label, title: label, onclick };
  return h("button", { ...usual, ...attributes }, icon(name));
}

// A button with a picture and words; a narrow screen has room for the picture only.
export function pictureButton(name, label, attributes) {
  return h("button", { type: "button", title: label, "aria-label": label, ...attributes }, icon(name), h("span", {}, label));
}

// What can be used now: the dialog that was opened last, else the page. All that stands elsewhere is dimmed and dead.
export const foremost = () => [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;

// Put `text` on the clipboard. Plain http on another host than this one has no clipboard object: the old way goes on.
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "unseen", value: text, readonly: true });
  foremost().append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}

// Hand what is at the address to the browser's own downloads.
export function save(url) {
  const link = h("a", { href: url, download: true, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
