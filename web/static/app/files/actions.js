// What can be done with files and folders. Each verb asks what it has to ask, does it through the API, and tells what changed.

import { h } from "../dom.js";
import { downloadAddress } from "./row.js";

// Hand the bytes to the browser's own downloads, one file after another.
export function download(nodes) {
  for (const node of nodes.filter(({ kind }) => kind === "file")) {
    const link = h("a", { href: downloadAddress(node), download: true, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
  }
}
