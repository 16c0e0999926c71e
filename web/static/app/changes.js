// What changed in the tree, told to whoever shows it: by one's own actions, by uploads, and by the server's events.

const target = new EventTarget();

// `folders` are the paths whose listings changed; none named means that all may have.
export function tell(folders) {
  target.dispatchEvent(new CustomEvent("change", { detail: folders }));
}

// Calls back with the folders, or undefined for all of them. Returns what ends it.
export function listen(callback) {
  const hear = (event) => callback(event.detail ?? undefined);
  target.addEventListener("change", hear);
  return () => target.removeEventListener("change", hear);
}
