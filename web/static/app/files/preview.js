// A look at a file: pictures, text, sound and film, with the ones before and after it in reach.

import { closeButton, show } from "../dialog.js";
import { h, icon, iconButton } from "../dom.js";
import { size } from "../format.js";
import { t } from "../text.js";
import { kindOf, previewOf } from "./kinds.js";
import { downloadAddress } from "./row.js";

const TEXT = 256 << 10; // bytes of a text that are shown
const MOST = 64 << 20; // bytes of a picture that is shown

export function showPreview(node, among) {
  const files = among.filter(previewOf);
  let at = Math.max(0, files.findIndex(({ id }) => id === node.id));
  let leaving = new AbortController();
  return show(node.name, (close) => {
    const name = h("strong", { class: "title" });
    const place = h("span", { class: "faint" });
    const stage = h("div", { class: "stage", tabindex: -1, autofocus: true });
    const fetch = h("a", { class: "icon-button", download: true, "aria-label": t("download"), title: t("download") }, icon("download"));
    const previous = iconButton("left", t("preview.previous"), () => look(at - 1), { class: "icon-button turn previous" });
    const next = iconButton("right", t("preview.next"), () => look(at + 1), { class: "icon-button turn next" });
    const look = (index) => {
      if (!files[index]) return;
      at = index;
      leaving.abort();
      leaving = new AbortController();
      const file = files[at];
      name.textContent = file.name;
      place.textContent = [size(file.size), files.length > 1 && t("preview.place", { at: at + 1, n: files.length })].filter(Boolean).join(" · ");
      fetch.href = downloadAddress(file);
      [previous.disabled, next.disabled] = [at === 0, at === files.length - 1];
      stage.replaceChildren(SHOWN[previewOf(file)](file, leaving.signal));
    };
    look(at);
    return h("div", { class: "preview", onkeydown: (event) => turn(event, () => look(at - 1), () => look(at + 1)) },
      h("div", { class: "bar" }, closeButton(close), h("div", { class: "what" }, name, place), fetch), stage, previous, next);
  }, { kind: "full", hideTitle: true }).finally(() => leaving.abort());
}

// Arrows go to the neighbours, but inside of a player or a text they are its own.
function turn(event, back, on) {
  if (event.target.closest("video, audio, pre")) return;
  if (event.key === "ArrowLeft") back();
  else if (event.key === "ArrowRight") on();
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
    const text = h("pre", { tabindex: 0, "aria-label": file.name });
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
  const element = h(kind, { src: inline(file), controls: true, preload: "metadata", playsinline: true, "aria-label": file.name });
  signal.addEventListener("abort", () => { element.pause(); element.removeAttribute("src"); element.load(); });
  return watched(element, file);
}

function watched(element, file) {
  element.addEventListener("error", () => element.isConnected && element.hasAttribute("src") && element.replaceWith(unable(file, t("preview.failed"))));
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
