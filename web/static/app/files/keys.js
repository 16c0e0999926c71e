// What the keys do in a list. The grid has the focus; its active row is named to screen readers.

const STEPS = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at, { list }) => at + list.page,
  PageUp: (at, { list }) => at - list.page,
  Home: () => 0,
  End: (_, { selection }) => selection.items.length - 1,
};
const PAUSE = 800; // milliseconds after which a letter begins a name anew
const ACTIONS = { F2: "rename", Delete: "delete", Backspace: "up" };

export function onKey(event, pane) {
  if (event.target.closest("[role=columnheader]")) return;
  if (move(event, pane) || choose(event, pane) || act(event, pane) || spell(event, pane)) event.preventDefault();
}

function move(event, pane) {
  const { selection } = pane;
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || !selection.items.length) return false;
  const index = Math.max(0, Math.min(selection.items.length - 1, step(selection.active, pane)));
  if (event.shiftKey) selection.extend(index);
  pane.list.reveal(index);
  if (event.shiftKey) pane.list.restate(index);
  else pane.go(index);
  return true;
}

function choose(event, { selection }) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") selection.all();
  else if (event.key === " " && selection.active >= 0) selection.toggle(selection.active);
  else if (event.key === "Escape" && selection.count) selection.clear();
  else return false;
  return true;
}

function act(event, pane) {
  const { selection, doing, list } = pane;
  const node = selection.items[selection.active];
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Enter" && node) doing.open(node);
  else if ((event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) && node) {
    doing.openMenu(selection.targets, list.elementAt(selection.active).querySelector(".more"));
  } else if (event.key in ACTIONS) doing.act(ACTIONS[event.key], selection.targets);
  else return false;
  return true;
}

let spelled = { letters: "", at: 0 };

// Letters lead to the next name that begins with them.
function spell(event, pane) {
  if (event.key.length !== 1 || "/? ".includes(event.key)) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { items, active } = pane.selection;
  const letters = (event.timeStamp - spelled.at < PAUSE ? spelled.letters : "") + event.key.toLowerCase();
  spelled = { letters, at: event.timeStamp };
  const begins = ({ name }) => name.toLowerCase().startsWith(letters);
  const from = letters.length > 1 ? Math.max(0, active) : active + 1;
  const next = items.findIndex((node, index) => index >= from && begins(node));
  const index = next >= 0 ? next : items.findIndex(begins);
  if (index >= 0) pane.go(index);
  return true;
}
