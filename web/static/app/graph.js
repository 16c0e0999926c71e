// A small graph of speed over the last minute: an SVG without a style of its own.

const SVG = "http://www.w3.org/2000/svg";
const SAMPLES = 60;
const [WIDTH, HEIGHT] = [120, 32]; // units of the picture

export class Graph {
  #samples = [];
  #area = document.createElementNS(SVG, "polygon");
  #line = document.createElementNS(SVG, "polyline");
  element = document.createElementNS(SVG, "svg");

  constructor() {
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("class", "graph");
    this.element.setAttribute("aria-hidden", "true"); // the figures beside it say the same
    this.element.append(this.#area, this.#line);
  }

  // One more speed; called about once a second.
  add(speed) {
    this.#samples = [...this.#samples, speed].slice(-SAMPLES);
    const top = Math.max(...this.#samples, 1) * 1.1;
    const start = WIDTH - (this.#samples.length - 1) * (WIDTH / (SAMPLES - 1));
    const points = this.#samples.map((sample, index) =>
      `${(start + index * (WIDTH / (SAMPLES - 1))).toFixed(1)},${(HEIGHT - (HEIGHT * sample) / top).toFixed(1)}`);
    this.#line.setAttribute("points", points.join(" "));
    this.#area.setAttribute("points", [`${start.toFixed(1)},${HEIGHT}`, ...points, `${WIDTH},${HEIGHT}`].join(" "));
  }
}
