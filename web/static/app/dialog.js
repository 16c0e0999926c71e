// Questions to the person, and short notes. Native dialogs: they keep the focus in, and give it back.

import { foremost, h, icon, iconButton } from "./dom.js";
import { NotLoaded, reload } from "./loading.js";
import { t } from "./text.js";

const NOTE = 6000; // milliseconds that a note stays
let names = 0;

// Show a dialog. `build(close)` gives its contents; the promise is of what `close` was called with, null if dismissed.
// `kind`: "card" in the middle, "sheet" at the side, "full" for all of the window. `signal` dismisses it, and so does going
// to another place, unless it `stays`: where it is of no place, or what it shows cannot be had again. One for all of the
// window is a place itself: the way back of the browser, or of a phone, leads out of it, and so does all that closes it.
export function show(title, build, { kind = "card", hideTitle = false, stays = false, signal } = {}) {
  return new Promise((resolve) => {
    const id = `dialog-${++names}`;
    const box = h("dialog", { class: kind, "aria-labelledby": id, data: stays ? { stays } : {} });
    let answer = null;
    const close = kind === "full" ? place(box) : (value = null) => { answer = value; box.close(); };
    const heading = h("h2", { id, class: hideTitle && "unseen" }, title);
    box.append(heading, ...[build(close)].flat());
    box.addEventListener("close", () => { raiseNotes(); box.remove(); resolve(answer); });
    signal?.addEventListener("abort", () => box.close());
    box.addEventListener("click", (event) => event.target === box && outside(event, box) && close());
    document.body.append(box);
    box.showModal();
    raiseNotes();
    box.querySelector("[autofocus]")?.focus();
  });
}

// Make the dialog a step of the history. What leads out of it, once: a second step would leave more than the dialog.
function place(box) {
  let left = false;
  const leave = () => {
    if (!left) history.back(); // and then the router dismisses it
    left = true;
  };
  box.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  history.pushState(null, "");
  return leave;
}

// A click on the dialog's backdrop is one on the dialog itself, beside its box.
function outside(event, box) {
  const { left, right, top, bottom } = box.getBoundingClientRect();
  return event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
}

// The page goes elsewhere: what was asked or offered there is not about what comes.
export function dismiss() {
  for (const box of document.querySelectorAll("dialog:modal:not([data-stays])")) box.close();
  for (const box of document.querySelectorAll(".menu:popover-open")) box.hidePopover();
}

export const closeButton = (close) => iconButton("close", t("close"), () => close(), { class: "icon-button close" });

// Yes or no. True for yes.
export async function confirm({ title, detail, yes, danger = false }) {
  return (await show(title, (close) => h("form", { method: "dialog", onsubmit: () => close(true) },
    detail && h("p", {}, detail),
    buttons(close, h("button", { class: danger && "danger", autofocus: true }, yes))))) === true;
}

// What a form does when it is sent: `act(elements)`, once at a time, for a second press would do it twice. While it is
// refused the form stays, and `refusal` says why.
export function sending(act, refusal) {
  let acting = false;
  return async (event) => {
    event.preventDefault();
    if (acting) return;
    acting = true;
    try {
      await act(event.target.elements);
    } catch (error) {
      refusal.textContent = error.message;
    }
    acting = false;
  };
}

// One line of text. `act(value)` does it; while it is refused the dialog stays, and says why. The value, or null.
// `select` is how many characters of `value` are selected at first.
export function ask({ title, label, value = "", yes, act, select = value.length }) {
  return show(title, (close) => {
    const refusal = h("p", { class: "refusal", role: "alert" });
    const input = h("input", { name: "answer", value, autocomplete: "off", required: true, autofocus: true,
      onfocus: () => input.setSelectionRange(0, select) });
    const again = (error) => { input.focus(); throw error; };
    const submit = sending(() => act(input.value).then(() => close(input.value), again), refusal);
    return h("form", { onsubmit: submit }, h("label", {}, label, input), refusal, buttons(close, h("button", {}, yes)));
  });
}

// One of several: `options` are { value, label, danger? }. { value, all }, or null; `all` is the label of a box, if any.
export function choose({ title, detail, options, all, stays, signal }) {
  return show(title, (close) => {
    const box = all && h("input", { type: "checkbox" });
    return [
      detail && h("p", {}, detail),
      box && h("label", { class: "check" }, box, all),
      h("div", { class: "choices" }, options.map((option, index) => h("button", {
        type: "button", class: index === 0 ? "" : option.danger ? "quiet danger" : "quiet", autofocus: index === 0,
        onclick: () => close({ value: option.value, all: box?.checked ?? false }),
      }, option.label))),
      buttons(close),
    ].filter(Boolean);
  }, { stays, signal });
}

const buttons = (close, ...more) => h("div", { class: "buttons" },
  h("button", { type: "button", class: "quiet", onclick: () => close() }, t("cancel")), more);

// Notes stand where they are seen, heard and can be pressed: in the dialog that is open, if one is.
const raiseNotes = () => foremost().append(document.getElementById("toasts"));

// A note that goes by itself; `action` and `act` make a button of it, `wrong` says that something failed.
export function toast(text, { action, act, wrong = false } = {}) {
  const note = h("div", { class: wrong ? "toast wrong" : "toast" }, wrong && icon("warning"), h("span", {}, text));
  const gone = () => note.remove();
  if (action) note.append(h("button", { type: "button", onclick: () => { gone(); act(); } }, action));
  note.append(iconButton("close", t("close"), gone));
  const toasts = document.getElementById("toasts");
  toasts.append(note);
  let timer = setTimeout(gone, NOTE);
  let pointed = false;
  const stayOrGo = ({ type }) => {
    if (type.startsWith("pointer")) pointed = type === "pointerenter";
    clearTimeout(timer);
    if (!pointed && !note.contains(document.activeElement)) timer = setTimeout(gone, NOTE);
  };
  for (const type of ["pointerenter", "pointerleave", "focusin", "focusout"]) note.addEventListener(type, stayOrGo);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
}

// Do it, and tell the person when it is refused. What `act` gave, or undefined.
export async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    const way = error instanceof NotLoaded && { action: t("loading.again"), act: reload };
    if (error.name !== "AbortError") toast(error.message, { wrong: true, ...way });
    return undefined;
  }
}
