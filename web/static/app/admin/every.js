// What is looked at again and again, while somebody looks at it: shown anew, it stands as it stood.

import { attempt } from "../dialog.js";

// Do it every so many milliseconds until `leaving` aborts; a refusal is told, and it goes on.
export function every(milliseconds, act, leaving) {
  if (leaving.aborted) return;
  const timer = setInterval(() => document.hidden || attempt(act), milliseconds);
  leaving.addEventListener("abort", () => clearInterval(timer));
}

// Put `children` into the place of what is there: each table, one for one, keeps how far it was scrolled, and the focus.
export function refill(page, ...children) {
  const before = [...page.querySelectorAll(".scroll")];
  const [places, focused] = [before.map(({ scrollLeft }) => scrollLeft), before.indexOf(document.activeElement)];
  page.replaceChildren(...children);
  for (const [index, table] of page.querySelectorAll(".scroll").entries()) {
    table.scrollLeft = places[index] ?? 0;
    if (index === focused) table.focus({ preventScroll: true });
  }
}
