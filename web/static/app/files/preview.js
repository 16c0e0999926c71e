// A look at a file: pictures, text, sound and film, with the ones before and after it in reach.

import { closeButton, show } from "../dialog.js";
import { h, icon, iconButton } from "../dom.js";
import { size } from "../format.js";
import { swipes } from "../swipes.js";
import { t } from "../text.js";
import { kindOf, previewOf } from "./kinds.js";
import { downloadAddress } from "./row.js";

const TEXT = 256 << 10; // bytes of a text that are shown
const MOST = 64 << 20; // bytes of a picture that is shown

export function showPreview(node, among) {
  const preview = new Preview(among.filter(previewOf));
  const shown = show(node.name, (close) => preview.build(close), { kind: "full", hideTitle: true });
  preview.look(Math.max(0, preview.files.findIndex(({ id }) => id === node.id)));
  return shown.finally(() => preview.leave());
}

class Preview {
  constructor(files) {
    this.files = files;
  }

  #at = 0;
  #leaving = new AbortController();
  #name = h("strong", { class: "title" });
  #place = h("span", { class: "faint" });
  #stage = h("div", { class: "stage", tabindex: -1, autofocus: true });
  #fetch = h("a", { class: "icon-button", download: true, "aria-label": t("download"), title: t("download") },
    icon("download"));
  #previous = iconButton("left", t("preview.previous"), () => this.look(this.#at - 1), { class: "turn previous" });
  #next = iconButton("right", t("preview.next"), () => this.look(this.#at + 1), { class: "turn next" });

  build(close) {
    const move = (by) => { this.#stage.firstElementChild.style.translate = `${by}px`; };
    swipes(this.#stage, { move, end: (step) => { move(0); if (step) this.look(this.#at + step); }, down: close });
    return h("div", { class: "preview", onkeydown: (event) => this.#turn(event) },
      h("div", { class: "bar" }, closeButton(close), h("div", { class: "what" }, this.#name, this.#place), this.#fetch),
      this.#stage, this.#previous, this.#next);
  }

  look(index) {
    const file = this.files[index];
    if (!file) return;
    this.leave();
    this.#at = index;
    this.#leaving = new AbortController();
    this.#name.textContent = file.name;
    const place = t("preview.place", { at: index + 1, n: this.files.length });
    this.#place.textContent = this.files.length > 1 ? `${size(file.size)} · ${place}` : size(file.size);
    this.#fetch.href = downloadAddress(file);
    this.#previous.disabled = index === 0;
    this.#next.disabled = index === this.files.length - 1;
    this.#stage.replaceChildren(SHOWN[previewOf(file)](file, this.#leaving.signal));
  }

  leave() {
    this.#leaving.abort();
  }

  // Arrows go to the neighbours, but inside of a player or a text they are its own.
  #turn(event) {
    if (event.target.closest("video, audio, pre")) return;
    if (event.key === "ArrowLeft") this.look(this.#at - 1);
    else if (event.key === "ArrowRight") this.look(this.#at + 1);
  }
}

const inline = (file) => `${downloadAddress(file)}?inline=1`;

const SHOWN = {
  image(file) {
    if (file.size > MOST) return unable(file, t("preview.large"));
    const image = h("img", { src: inline(file), alt: file.name });
    return watched(image, file);
  },
  video: (file, signal) => player("video", file, signal),
  audio: (file, signal) => player("audio", file, signal),
  text(file, signal) {
    const text = h("pre", { tabindex: 0, role: "region", "aria-label": file.name });
    const note = h("p", { class: "note", role: "status" }, t("files.loading"));
    read(file, signal).then(({ content, whole }) => {
      text.textContent = content;
      note.textContent = whole ? "" : t("preview.part", { size: size(TEXT) });
    }).catch((error) => { if (error.name !== "AbortError") note.textContent = t("preview.failed"); });
    return h("div", { class: "text" }, note, text);
  },
};

// A player that lets go of its connection when it is left.
function player(kind, file, signal) {
  const usual = { controls: true, preload: "metadata", playsinline: true };
  const element = h(kind, { src: inline(file), ...usual, "aria-label": file.name });
  signal.addEventListener("abort", () => { element.pause(); element.removeAttribute("src"); element.load(); });
  return watched(element, file);
}

function watched(element, file) {
  element.addEventListener("error", () => {
    if (element.hasAttribute("src")) element.replaceWith(unable(file, t("preview.failed")));
  });
  return element;
}

const unable = (file, why) => h("div", { class: "empty", role: "alert" }, icon(kindOf(file)), h("p", {}, why),
  h("a", { class: "button", href: downloadAddress(file), download: true }, icon("download"), t("download")));

// The beginning of a text. A server without ranges sends all of it: reading stops where enough is here.
async function read(file, signal) {
  const headers = file.size > TEXT ? { Range: `bytes=0-${TEXT - 1}` } : {};
  const response = await fetch(downloadAddress(file), { signal, headers });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let content = "";
  for (let read = 0; read < TEXT;) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
    content += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return { content, whole: file.size <= TEXT };
}
