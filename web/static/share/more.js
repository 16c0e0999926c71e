// The next page of a long folder, as its end comes into sight. Without scripts a link leads there.

import { mend } from "./pictures.js";
import { t } from "./text.js";

const AHEAD = "1200px"; // below the window's edge

export function followMore() {
  const observer = new IntersectionObserver(async ([{ isIntersecting, target }]) => {
    if (!isIntersecting) return;
    observer.disconnect();
    await append(target.querySelector("a"));
    watch();
  }, { rootMargin: AHEAD });
  const watch = () => {
    const more = document.querySelector(".more");
    if (more) observer.observe(more);
  };
  watch();
}

// Put what the page behind the link lists after what is there; its own link takes this one's place.
async function append(link) {
  const usual = link.textContent;
  link.textContent = t("more.coming");
  const page = await parsed(link.href).catch(() => null);
  if (!page) { // the link stays, for a click
    link.textContent = usual;
    link.parentElement.className = "";
    return;
  }
  for (const rows of page.querySelectorAll("[data-rows]")) {
    const here = document.querySelector(`[data-rows=${rows.dataset.rows}]`);
    mend(rows);
    here.append(...rows.children);
    here.parentElement.hidden = !here.childElementCount;
  }
  const following = page.querySelector(".more");
  if (following) link.parentElement.replaceWith(following);
  else link.parentElement.remove();
}

// The browser reads it as a document of its own, in which no script runs.
const parsed = (url) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.addEventListener("load", () => (request.status === 200 ? resolve(request.responseXML) : reject(request.status)));
  request.addEventListener("error", reject);
  request.open("GET", url);
  request.send();
});
