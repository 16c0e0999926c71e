// What a program calls itself, as people know it: "Firefox on Windows", "aria2 1.37.0". Pure.

const BROWSERS = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS/, "macOS"],
  [/Linux|X11/, "Linux"],
];

const first = (list, agent) => list.find(([pattern]) => pattern.test(agent))?.[1];

export function programOf(agent) {
  if (!agent.startsWith("Mozilla/")) return agent.split(" ")[0].replace("/", " ") || "?";
  const [browser, system] = [first(BROWSERS, agent) ?? "Browser", first(SYSTEMS, agent)];
  return system ? `${browser} · ${system}` : browser;
}
