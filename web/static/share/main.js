// What a share's page can do beside showing: a look at pictures and films, more of them as one scrolls, copying addresses.

import { copyText, h } from "../app/dom.js";
import { moment } from "../app/format.js";
import { Look } from "./look.js";
import { followMore } from "./more.js";
import { mend } from "./pictures.js";
import { t } from "./text.js";

const COPIED = 2000; // milliseconds that a button says so

const look = new Look();

function onClick(event) {
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const link = event.target.closest("a[data-look]");
  if (!link || !plain) return;
  event.preventDefault();
  look.open(link);
}

// The address of a folder's ZIP as it is now, by the `v` that the server tells: programs resume without If-Range, and
// would put two versions of a folder that changes into one file. Of anything else, and where it is not told, as it is.
async function pinned(url) {
  const response = await fetch(url, { method: "HEAD" }).catch(() => null);
  const place = response?.headers.get("Content-Location");
  const version = place && new URL(place, url).searchParams.get("v");
  if (version) url.searchParams.set("v", version);
  return url.href;
}

async function copy({ currentTarget: button }) {
  const words = button.querySelector("span");
  const usual = words.textContent;
  await copyText(await pinned(new URL(button.dataset.copy, location)));
  words.textContent = t("copied");
  setTimeout(() => { words.textContent = usual; }, COPIED);
}

async function prepare({ currentTarget: button }) {
  const { prepare: place, folder } = button.dataset;
  button.disabled = true;
  try {
    const { prepare: begin } = await import("./prepare.js").catch(() => { throw new Error(t("loading.failed")); });
    const preparation = begin(place, Number(folder));
    await preparation.start();
    button.closest(".acts").after(preparation.element);
    button.remove();
  } catch (error) {
    button.after(h("p", { class: "refusal", role: "alert" }, error.message));
  }
}

function show(selector, act) {
  for (const button of document.querySelectorAll(selector)) {
    button.hidden = false;
    button.addEventListener("click", act);
  }
}

document.addEventListener("click", onClick);
show("[data-copy]", copy);
show("[data-prepare]", prepare);
for (const time of document.querySelectorAll("time")) time.textContent = moment(time.dateTime);
mend(document);
followMore();
