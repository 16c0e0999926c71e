// A look at one picture, film or sound, in all of the window, its neighbours in reach of a key, a button or a finger.

import { h, icon, iconButton } from "../app/dom.js";
import { swipes } from "../app/swipes.js";
import { waitFor } from "./pictures.js";
import { t } from "./text.js";

export class Look {
  constructor() {
    this.#box.addEventListener("cancel", (event) => { event.preventDefault(); this.close(); });
    this.#box.addEventListener("keydown", (event) => this.#onKey(event));
    addEventListener("popstate", () => this.#leave());
    swipes(this.#stage, {
      move: (by) => this.#place(by),
      end: (step) => this.#turn(step) || this.#place(0, true),
      down: () => this.close(),
    });
  }

  #links = [];
  #at = 0;
  #figures = new Map(); // number -> figure, of the one that is shown and its neighbours
  #name = h("strong");
  #count = h("span");
  #fetch = h("a", { class: "icon-button", download: true, "aria-label": t("download"), title: t("download") }, icon("download"));
  #previous = iconButton("left", t("look.previous"), () => this.#turn(-1), { class: "turn previous" });
  #next = iconButton("right", t("look.next"), () => this.#turn(1), { class: "turn next" });
  #stage = h("div", { class: "stage", tabindex: -1, autofocus: true });
  #box = h("dialog", { class: "look", "aria-labelledby": "looked-at" },
    h("div", { class: "bar" }, iconButton("close", t("close"), () => this.close()),
      h("p", { id: "looked-at", "aria-live": "polite" }, this.#name, this.#count), this.#fetch),
    this.#stage, this.#previous, this.#next);

  // Look at what a link of the page leads to; the way back of the browser, or of a phone, closes it.
  open(link) {
    this.#links = [...document.querySelectorAll("a[data-look]")];
    document.body.append(this.#box);
    this.#box.showModal();
    history.pushState({ look: true }, "");
    this.#show(this.#links.indexOf(link));
  }

  close() {
    history.back(); // and then `popstate` leaves
  }

  #leave() {
    if (!this.#box.open) return;
    this.#box.close();
    this.#box.remove();
    for (const figure of this.#figures.values()) figure.remove();
    this.#figures.clear();
    this.#links[this.#at].scrollIntoView({ block: "nearest" });
    this.#links[this.#at].focus({ preventScroll: true });
  }

  #show(index) {
    this.#at = index;
    const link = this.#links[index];
    this.#name.textContent = nameOf(link);
    this.#count.textContent = this.#links.length > 1 ? t("look.place", { at: index + 1, n: this.#links.length }) : "";
    this.#fetch.href = link.dataset.download;
    this.#previous.disabled = index === 0;
    this.#next.disabled = index === this.#links.length - 1;
    for (const [number, figure] of this.#figures) {
      if (Math.abs(number - index) > 1) {
        figure.remove();
        this.#figures.delete(number);
      } else if (number !== index) quiet(figure);
    }
    for (const number of [index, index + 1, index - 1]) this.#make(number);
    this.#place(0);
  }

  #make(number) {
    const link = this.#links[number];
    if (!link) return;
    const there = this.#figures.get(number);
    const still = link.dataset.look === "image";
    if (there && (still || number !== this.#at || there.querySelector("video, audio"))) return;
    there?.remove(); // a film is fetched once it is looked at, and no sooner
    const figure = h("figure", {}, still ? picture(link) : number === this.#at && player(link));
    this.#figures.set(number, figure);
    this.#stage.append(figure);
  }

  // Whether there was one.
  #turn(step) {
    if (!step || !this.#links[this.#at + step]) return false;
    const { clientWidth: width } = this.#stage;
    const from = this.#shift;
    this.#show(this.#at + step);
    this.#place(from + step * width); // from where it is, to its place
    this.#stage.getBoundingClientRect(); // which the browser has to have seen
    this.#place(0, true);
    return true;
  }

  #shift = 0; // pixels that what is shown is away from its place

  #place(by, gently = false) {
    this.#shift = by;
    this.#stage.classList.toggle("gently", gently);
    for (const [number, figure] of this.#figures) {
      figure.style.transform = `translateX(calc(${100 * (number - this.#at)}% + ${by}px))`;
      figure.inert = number !== this.#at;
    }
  }

  #onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target.closest("video, audio")) return; // whose own keys they are
    event.preventDefault();
    this.#turn(step);
  }
}

const nameOf = (link) => link.querySelector("img")?.alt ?? link.querySelector(".title, span").textContent;

function picture(link) {
  const image = h("img", { src: link.dataset.large, alt: nameOf(link), draggable: "false" });
  const tried = { times: 0 };
  image.addEventListener("error", async () => {
    tried.times += 1;
    if (tried.times === 1 && (await waitFor(image.src))) image.src = link.dataset.large;
    else if (tried.times < 3) image.src = link.href; // as it was stored
    else image.replaceWith(unable(link));
  });
  return image;
}

function player(link) {
  const kind = link.dataset.look;
  const element = h(kind, { src: link.href, controls: true, playsinline: true, preload: "metadata", "aria-label": nameOf(link) });
  element.addEventListener("error", () => element.hasAttribute("src") && element.replaceWith(unable(link)));
  return element;
}

// A player out of sight is silent, and lets go of its connection.
function quiet(figure) {
  const element = figure.querySelector("video, audio");
  if (!element) return;
  element.pause();
  element.removeAttribute("src");
  element.load();
  element.remove();
}

const unable = (link) => h("div", { class: "note", role: "alert" }, h("p", {}, t("look.unable")),
  h("a", { class: "button", href: link.dataset.download, download: true }, icon("download"), t("download")));
