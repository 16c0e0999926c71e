// Where one is signed in, and the end of it.

import { programOf } from "../agents.js";
import { remove } from "../api.js";
import { attempt, toast } from "../dialog.js";
import { h } from "../dom.js";
import { exactly, moment } from "../format.js";
import { t } from "../text.js";

export function sessionsSection(sessions) {
  const list = h("ul", { class: "plain entries" }, sessions.map(line));
  const others = h(
    "button",
    { type: "button", class: "quiet", hidden: sessions.length < 2, onclick: () => endOthers(list, others) },
    t("sessions.end-others"),
  );
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, t("sessions.title")),
    h("p", { class: "faint" }, t("sessions.hint")),
    list,
    h("div", { class: "buttons" }, others),
  );
}

function line({ id, current, address, agent, last_used_at: used }) {
  const name = programOf(agent);
  const element = h(
    "li",
    { data: { current } },
    h(
      "div",
      { class: "what" },
      h("span", { class: "title", title: agent }, name),
      h("small", { title: exactly(used) }, t("sessions.used", { address, time: moment(used) })),
    ),
    current
      ? h("span", { class: "tag" }, t("sessions.this"))
      : h(
          "button",
          { type: "button", class: "quiet", "aria-label": t("sessions.end-of", { name }), onclick: end },
          t("sessions.end"),
        ),
  );
  const url = `/api/v1/sessions/${id}`;
  async function end() {
    if ((await attempt(() => remove(url))) !== undefined) element.remove();
  }
  return element;
}

async function endOthers(list, button) {
  const answer = await attempt(() => remove("/api/v1/sessions"));
  if (!answer) return;
  toast(t("sessions.ended", { n: answer.sessions_ended }));
  for (const element of list.querySelectorAll("[data-current=false]")) element.remove();
  button.hidden = true;
}
