// A ZIP made beforehand, for visitors: asked for, watched, downloaded. Where it is worth it: large folders, or such as are deflated.

import { Preparation } from "../app/preparation.js";
import { t } from "./text.js";

async function answer(url, options) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-cache", ...options });
  const document = await response.json();
  if (!response.ok) throw new Error(document.detail);
  return document;
}

// What shows it. `place` is where one asks for it, with what the address carries of a password.
export function prepare(place, folder) {
  const [path, query] = [place.split("?")[0], place.includes("?") ? `?${place.split("?")[1]}` : ""];
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const status = path.replace(/prepare-download$/, "download-status");
  return new Preparation({
    t,
    begin: () => answer(place, { method: "POST", headers, body: JSON.stringify({ folder_id: folder }) }),
    look: (id) => answer(`${status}/${id}${query}`),
  });
}
