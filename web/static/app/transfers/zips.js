// ZIPs that are being prepared, or are there to be fetched, among the transfers.

import { address, get } from "../api.js";
import { attempt } from "../dialog.js";
import { h, icon } from "../dom.js";
import { preparation } from "../files/prepare.js";
import { listen } from "../live.js";
import { t } from "../text.js";

const SHOWN = new Set(["queued", "processing", "ready"]);

export class Zips {
  #cards = new Map(); // job id -> { element, shown }
  #list = h("ul", { class: "cards" });
  element = h("section", { hidden: true, "aria-label": t("prepare.all") }, this.#list);
  #stop = listen(({ type }) => type === "prepared" && this.look());

  look() {
    return attempt(async () => this.#show((await get(address("jobs"))).items.filter(isZip)));
  }

  end() {
    this.#stop();
    for (const { shown } of this.#cards.values()) shown.leave();
  }

  #show(jobs) {
    const there = new Set(jobs.map(({ job_id: id }) => id));
    for (const [id, { element, shown }] of this.#cards) {
      if (there.has(id)) continue;
      shown.leave();
      element.remove();
      this.#cards.delete(id);
    }
    for (const job of jobs) {
      if (!this.#cards.has(job.job_id)) this.#add(job);
      this.#cards.get(job.job_id).shown.show(job);
    }
    this.element.hidden = !this.#cards.size;
  }

  #add(job) {
    const shown = preparation(job.folder_id);
    const name = job.folder.slice(job.folder.lastIndexOf("/") + 1) || t("files.root");
    const element = h("li", { class: "card transfer zip" },
      icon("archive"), h("div", { class: "what" }, h("h2", { class: "title", title: job.folder }, `${name}.zip`), shown.element));
    this.#list.append(element);
    this.#cards.set(job.job_id, { element, shown });
  }
}

const isZip = ({ status, folder_id: folder }) => SHOWN.has(status) && folder !== null;
