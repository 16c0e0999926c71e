// Rows that are carried by the mouse: onto a folder, or onto a step of the way up, they are moved there.

const TYPE = "application/x-stowgram-rows";

// `picked(element)` gives the nodes that are carried when that one is taken; `goalAt(element)` the path of the folder
// that it stands for, or null; `drop(nodes, path)` does it. All of this happens inside of `root`.
export function carryRows(root, { picked, goalAt, drop }) {
  let carried = [];
  const goal = (event) => {
    const path = carried.length ? goalAt(event.target) : null;
    return path === null || carried.some((node) => node.path === path) ? null : path;
  };
  const show = (event) => {
    for (const element of root.querySelectorAll(".over")) element.classList.remove("over");
    if (event && goal(event) !== null) event.target.closest(".row, li").classList.add("over");
  };
  const over = () => { carried = []; show(null); };
  root.addEventListener("dragstart", (event) => {
    carried = picked(event.target);
    if (!carried.length) return;
    event.dataTransfer.setData(TYPE, "");
    event.dataTransfer.effectAllowed = "move";
  });
  root.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(TYPE)) return;
    show(event);
    if (goal(event) !== null) event.preventDefault(); // which allows the drop
  });
  root.addEventListener("drop", (event) => {
    const path = goal(event);
    if (path === null) return;
    event.preventDefault();
    const nodes = carried;
    over();
    drop(nodes, path);
  });
  root.addEventListener("dragend", over);
}
