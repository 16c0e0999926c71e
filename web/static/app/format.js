// Sizes, speeds, times and counts as people write them. Pure; times are in the reader's zone.

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];
// The words around are English; somebody who reads English in their own way gets dates in that way.
const LOCALE = globalThis.navigator?.languages?.find((language) => language.startsWith("en")) ?? "en-GB";
const whole = new Intl.NumberFormat(LOCALE);
const clock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });

export const number = (value) => whole.format(value);

// 1572864 -> "1.5 MiB"; three digits that count, and never "1000 MiB".
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  let amount = bytes;
  let unit;
  for (unit of UNITS) {
    amount /= 1024;
    if (amount < 999.5) break;
  }
  return `${Number(amount.toPrecision(3))} ${unit}`;
}

export const bytes = (count) => `${number(count)} B`;
export const speed = (perSecond) => `${size(Math.round(perSecond))}/s`;

// A moment (ISO 8601) for a narrow column: today only the time, this year no year.
export function moment(iso, now = new Date()) {
  const when = new Date(iso);
  if (when.toDateString() === now.toDateString()) return clock.format(when);
  return `${(when.getFullYear() === now.getFullYear() ? day : dayOfYear).format(when)}, ${clock.format(when)}`;
}

export const exactly = (iso) => full.format(new Date(iso));

// Seconds as "8 s", "3 min", "2 h 5 min", "4 d".
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.ceil(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} d`;
}

// Whole days from now until then, 0 at least.
export const daysUntil = (iso, now = Date.now()) => Math.max(0, Math.ceil((new Date(iso) - now) / 86_400_000));
