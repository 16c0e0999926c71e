// What is to be said of a share, and where its bytes are. Pure.

import { moment, speed } from "../format.js";
import { t } from "../text.js";

// "2 of 10 downloads · last used 14:05 · ends 28 Nov, 12:00"
export function factsOf(share) {
  const { downloads: n, max_downloads: most, last_used_at: last, expires_at: end } = share;
  const { rate_limit_kb: rate, max_connections: connections } = share;
  return [
    most === null ? t("share.used", { n }) : t("share.used-of", { n, most }),
    last === null ? t("share.unused") : t("share.last", { time: moment(last) }),
    end !== null && t("share.until", { time: moment(end) }),
    rate !== null && t("share.rate.of", { rate: speed(1000 * rate) }),
    connections !== null && t("share.connections.of", { n: connections }),
  ].filter(Boolean).join(" · ");
}

// The address of the bytes, for a program, and the name that they are saved by. `password` when it is known.
export function bytesOf(share, password) {
  const { origin, pathname } = new URL(share.url);
  const place = share.kind === "file" ? `download/${share.file_id}` : "download-all";
  const query = password ? `?${new URLSearchParams({ password })}` : "";
  const name = share.name || "Files";
  return [share.kind === "file" ? name : `${name}.zip`, `${origin}/api${pathname}/${place}${query}`];
}
