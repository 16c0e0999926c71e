// A menu of actions beside what was pressed, or at the pointer; at the lower edge of a phone.

import { foremost, h, icon } from "./dom.js";

const GAP = 4; // pixels between a menu and what it belongs to

// `items`: { label, icon?, act, danger?, checked?, hint? }, and null for a line between. `at`: an element, or { x, y }.
export function menu(items, at, label) {
  const before = document.activeElement;
  const box = h("div", { class: "menu", role: "menu", popover: "auto", "aria-label": label });
  box.append(...items.map((item) => entry(item, close)));
  function close() {
    box.hidePopover();
    before?.focus?.({ preventScroll: true });
  }
  box.addEventListener("keydown", (event) => onKey(event, box, close));
  box.addEventListener("toggle", (event) => event.newState === "closed" && box.remove());
  foremost().append(box);
  box.showPopover();
  place(box, at);
  box.querySelector("button").focus({ preventScroll: true });
  return box;
}

function entry(item, close) {
  if (item === null) return h("hr");
  const choice = item.checked !== undefined;
  return h("button", {
    type: "button", role: choice ? "menuitemradio" : "menuitem", class: item.danger && "danger", tabindex: -1,
    "aria-checked": choice ? String(item.checked) : null,
    onclick: () => { close(); item.act(); },
  },
  item.icon && icon(item.icon), h("span", {}, item.label),
  item.hint && h("kbd", {}, item.hint), item.checked && icon("check"));
}

function place(box, at) {
  const { width, height } = box.getBoundingClientRect();
  const from = at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y);
  const left = from.left + width + GAP <= innerWidth ? from.left : from.right - width;
  const top = from.bottom + GAP + height <= innerHeight ? from.bottom + GAP : from.top - GAP - height;
  box.style.left = `${Math.max(GAP, left)}px`;
  box.style.top = `${Math.max(GAP, top)}px`;
}

function onKey(event, box, close) {
  const entries = [...box.querySelectorAll("button")];
  const here = entries.indexOf(document.activeElement);
  const step = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
  if (step !== undefined) entries.at(step % entries.length).focus();
  else if (event.key === "Tab" || event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
