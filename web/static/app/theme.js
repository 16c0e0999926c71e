// Light, dark, or as the system has it. The first paint is /static/theme.js's.

export const THEMES = ["auto", "light", "dark"];

export const theme = () => document.documentElement.dataset.theme;

export function setTheme(wanted) {
  document.documentElement.dataset.theme = wanted;
  localStorage.setItem("theme", wanted);
}
