// One place in line: its number, how long it may take, and a way out.

import { h, icon, iconButton } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../text.js";

export class TicketCard {
  #figures = h("p", { class: "number" });

  constructor(ticket) {
    this.element = h(
      "li",
      { class: "card transfer", data: { state: "waiting" } },
      icon("clock"),
      h("div", { class: "what" }, h("h2", { class: "title", title: ticket.name }, ticket.name), this.#figures),
      h(
        "div",
        { class: "acts" },
        iconButton("close", t("ticket.cancel", { name: ticket.name }), () => ticket.cancel()),
      ),
    );
  }

  show({ place, expectedWait }) {
    const wait = expectedWait !== null && t("ticket.wait", { time: duration(expectedWait) });
    this.#figures.textContent = [t("ticket.place", { n: place }), wait].filter(Boolean).join(" · ");
  }
}
