// A finger that drags: sideways to the neighbours, down to leave. Two fingers are the browser's, and so is all while it is zoomed in.

const FAR = 0.22; // of the width, after which a slow finger has made up its mind
const QUICK = 0.45; // pixels a millisecond, after which a quick one has
const DOWN = 110; // pixels
const SLOP = 8; // pixels before it is a drag at all

// `move(by)` with each movement sideways, `end(step)` with -1, 0 or 1, `down()`.
export function swipes(element, { move, end, down }) {
  let from = null;
  const zoomed = () => (visualViewport?.scale ?? 1) > 1.01;
  visualViewport?.addEventListener("resize", () => element.classList.toggle("zoomed", zoomed()));

  element.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || zoomed() || event.target.closest("video, audio, a, button")) return;
    from = event.isPrimary ? { x: event.clientX, y: event.clientY, at: event.timeStamp, axis: null } : null;
  });
  element.addEventListener("pointermove", (event) => {
    if (!from || !event.isPrimary) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (!from.axis && Math.max(Math.abs(x), Math.abs(y)) > SLOP) from.axis = Math.abs(x) > Math.abs(y) ? "x" : "y";
    if (from.axis === "x") move(x);
  });
  const over = (event) => {
    if (!from || !event.isPrimary) return;
    const { axis, at } = from;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    from = null;
    if (axis === "y" && y > DOWN) down();
    if (axis !== "x") return;
    const sure = Math.abs(x) > FAR * element.clientWidth || Math.abs(x) / Math.max(1, event.timeStamp - at) > QUICK;
    end(sure ? -Math.sign(x) : 0);
  };
  element.addEventListener("pointerup", over);
  element.addEventListener("pointercancel", () => {
    if (from?.axis === "x") end(0);
    from = null;
  });
}
