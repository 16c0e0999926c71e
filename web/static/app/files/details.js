// Everything that is known of a file or a folder: digests to compare, where its chunks rest, and whether it is whole.

import { address, get } from "../api.js";
import { attempt, closeButton, show, toast } from "../dialog.js";
import { copyText, h, icon, iconButton } from "../dom.js";
import { bytes, exactly, number, size } from "../format.js";
import { share } from "../shares/dialogs.js";
import { t } from "../text.js";
import { kindOf } from "./kinds.js";
import { called, parentOf } from "./row.js";

export const showDetails = (node) => attempt(async () => {
  const known = await get(address(node.kind === "file" ? `files/${node.id}/details` : `folders/${node.id}`));
  return show(known.name, (close) => [
    closeButton(close),
    h("p", { class: "kind", data: { kind: kindOf(known) } }, icon(kindOf(known)), t(`kind.${kindOf(known)}`)),
    facts(known),
    h("div", { class: "buttons first" },
      h("button", { type: "button", class: "quiet", onclick: () => { close(); share(known); } }, icon("share"), t("share"))),
    ...(known.kind === "file" ? [digests(known), chunks(known)] : []),
  ], { kind: "sheet" });
});

const pairs = (of) => h("dl", { class: "facts" },
  of.filter(Boolean).flatMap(([key, ...what]) => [h("dt", {}, t(key)), h("dd", {}, ...what)]));

function facts(node) {
  const { totals } = node;
  return pairs([
    ["details.folder", called(parentOf(node.path))],
    node.size !== null && ["column.size", `${size(node.size)} (${bytes(node.size)})`],
    node.media_type && ["details.type", node.media_type],
    ["column.modified", exactly(node.modified_at)],
    ["details.created", exactly(node.created_at)],
    node.kind === "file" && ["details.health", node.damaged_at
      ? h("span", { class: "refusal" }, t("details.damaged", { when: exactly(node.damaged_at) })) : t("details.whole")],
    totals && ["details.downloads", `${number(totals.downloads)} (${size(totals.bytes_sent)})`],
  ]);
}

function digests(file) {
  const known = [["SHA-256", file.sha256], ["CRC-32", file.crc32], [t("details.tree"), file.tree]];
  const copy = async (name, value) => { await copyText(value); toast(t("copied", { what: name })); };
  const rows = known.flatMap(([name, value]) => [
    h("dt", {}, name),
    h("dd", {}, h("code", {}, value ?? t("details.coming")),
      value && iconButton("copy", t("details.copy", { what: name }), () => attempt(() => copy(name, value)))),
  ]);
  return h("section", {}, h("h3", {}, t("details.digests")), h("dl", { class: "facts digests" }, rows));
}

function chunks(file) {
  const head = ["index", "size", "message", "sha256"].map((key) => h("th", { scope: "col" }, t(`chunk.${key}`)));
  const rows = file.chunks.map((chunk) => h("tr", {},
    h("td", {}, number(chunk.index)), h("td", {}, size(chunk.size)), h("td", {}, String(chunk.message)),
    h("td", {}, h("code", { title: chunk.sha256 }, chunk.sha256.slice(0, 12)))));
  return h("details", {}, h("summary", {}, t("details.chunks", { n: file.chunks.length })),
    h("p", { class: "faint" }, t("details.pieces", { size: size(file.piece_size) })),
    h("div", { class: "wide" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))));
}
