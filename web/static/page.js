// The page of one folder: uploads by button or drop, new folders, renaming, deleting. All of it through the API.

import { upload } from "./tus.js";

const csrf = { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
const drop = document.getElementById("drop");
const folder = drop.dataset.path;
const transfers = document.getElementById("transfers");
const dialog = document.getElementById("ask");

async function api(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: { ...csrf, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `The server answered ${response.status}.`);
  }
}

// Ask, do it, and show the page anew; a refusal is shown in the dialog, which stays open.
function ask({ question, answer, confirm, act }) {
  const form = dialog.querySelector("form");
  const input = form.elements.answer;
  const refusal = dialog.querySelector(".refusal");
  document.getElementById("question").textContent = question;
  document.getElementById("yes").textContent = confirm;
  refusal.textContent = "";
  input.parentElement.hidden = answer === undefined;
  input.disabled = answer === undefined;
  input.value = answer ?? "";
  form.onsubmit = async (event) => {
    if (event.submitter?.value !== "yes") return;
    event.preventDefault();
    try {
      await act(input.value);
      location.reload();
    } catch (error) {
      refusal.textContent = error.message;
    }
  };
  dialog.showModal();
  input.select();
}

document.getElementById("new-folder").addEventListener("click", () => ask({
  question: "New folder", answer: "", confirm: "Create",
  act: (name) => api("POST", "/api/v1/folders", { name, parent: folder }),
}));

drop.addEventListener("click", (event) => {
  const { action } = event.target.dataset;
  if (!action) return;
  const { kind, id, name } = event.target.closest("tr").dataset;
  const url = `/api/v1/${kind}s/${id}`;
  if (action === "rename") {
    ask({ question: `Rename “${name}”`, answer: name, confirm: "Rename", act: (wanted) => api("PATCH", url, { name: wanted }) });
  } else {
    const all = kind === "folder" ? " and everything in it" : "";
    ask({ question: `Delete “${name}”${all}?`, confirm: "Delete", act: () => api("DELETE", url) });
  }
});

function row(file) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const state = document.createElement("span");
  const bar = document.createElement("progress");
  name.textContent = file.name;
  state.textContent = "waiting";
  bar.max = Math.max(file.size, 1);
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  item.append(name, state, bar);
  transfers.append(item);
  return { bar, state };
}

async function uploadAll(files) {
  const waiting = [...files].map((file) => [file, row(file)]);
  let failed = 0;
  for (const [file, { bar, state }] of waiting) {
    try {
      await upload(file, folder, csrf, (sent) => {
        bar.value = sent;
        state.textContent = sent < file.size ? `${Math.floor((100 * sent) / file.size)} %` : "checking";
      });
      bar.value = bar.max;
      state.textContent = "stored";
    } catch (error) {
      failed += 1;
      state.textContent = error.message;
      state.className = "refusal";
    }
  }
  if (waiting.length && !failed) location.reload();
}

document.getElementById("chooser").addEventListener("change", (event) => uploadAll(event.target.files));

for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop.classList.remove("over");
  uploadAll(event.dataTransfer.files);
});
