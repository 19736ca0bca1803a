/** Values as people read them, in the viewer's own language; the exact value is always in the title. */

import { h } from "./dom.js";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const compactNumber = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
/** @type {Map<number, Intl.NumberFormat>} */
const fraction = new Map();
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const mediumTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const shortTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });

let ahead = 0;

/** The server's clock, as far as its answers say: a viewer's clock may be wrong. */
export const now = () => Date.now() + ahead;

/** @param {string} text */
export function serverSaidNow(text) {
  const said = Date.parse(text);
  if (Number.isFinite(said) && Math.abs(said - Date.now()) > 5000) ahead = said - Date.now();
  else ahead = 0;
}

/**
 * A number, if there is one: what is not known is written as nothing.
 * @typedef {number | null | undefined} Maybe
 */

/** @type {(value: Maybe) => value is number} */
const given = (value) => value !== null && value !== undefined && !Number.isNaN(value);

/** @param {Maybe} value */
export const number = (value) => (given(value) ? whole.format(value) : "");
/** @param {Maybe} value */
export const compact = (value) =>
  given(value) ? (Math.abs(value) < 10000 ? whole : compactNumber).format(value) : "";

/** @param {Maybe} value @param {number} places */
export function digits(value, places) {
  if (!given(value)) return "";
  const known = fraction.get(places);
  if (known) return known.format(value);
  // What rounds to nothing has no sign.
  const made = new Intl.NumberFormat(undefined, {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
    signDisplay: "negative",
  });
  fraction.set(places, made);
  return made.format(value);
}

/** @param {Maybe} value @param {number} places */
export const signed = (value, places) =>
  given(value) ? (value > 0 ? "+" : value < 0 ? "−" : "") + digits(Math.abs(value), places) : "";
/** @param {Maybe} share @param {number} [places] */
export const percent = (share, places = 0) => (given(share) ? `${digits(share * 100, places)} %` : "");

/** Bytes with a unit: 1.2 MB. @param {Maybe} bytes */
export function size(bytes) {
  if (!given(bytes)) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let place = 0;
  let left = bytes;
  while (left >= 1000 && place < units.length - 1) {
    left /= 1000;
    place += 1;
  }
  return `${digits(left, place && left < 100 ? 1 : 0)} ${units[place]}`;
}

/** @param {Maybe} value */
export function milliseconds(value) {
  if (!given(value)) return "";
  return value >= 1000 ? `${digits(value / 1000, 1)} s` : `${digits(value, value < 10 ? 1 : 0)} ms`;
}

/** @type {[string, number][]} */
const LENGTHS = [
  ["d", 86400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** A length of time: 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. @param {Maybe} seconds */
export function duration(seconds) {
  if (!given(seconds)) return "";
  const left = Math.max(0, seconds);
  if (left < 10) return `${digits(left, 1)} s`;
  if (left < 60) return `${Math.round(left)} s`;
  const first = LENGTHS.findIndex(([, long]) => left >= long);
  const [unit, long] = LENGTHS[first];
  const many = Math.floor(left / long);
  const [smaller, short] = LENGTHS[first + 1] ?? ["", 1];
  const rest = Math.floor((left - many * long) / short);
  return rest && smaller ? `${many} ${unit} ${rest} ${smaller}` : `${many} ${unit}`;
}

/** @param {string} from @param {string} to */
export const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

/** "3 minutes ago", which goes on counting; the exact time on hover. @param {string | undefined} text */
export function ago(text) {
  if (!text) return "";
  return h("time", { datetime: text, title: exact(text), "data-ago": true }, agoWords(text));
}

/** @param {string} text */
export const exact = (text) => `${exactTime.format(new Date(text))} (${text})`;

/** A point in time to the second. @param {string} text */
export const moment = (text) =>
  h("time", { datetime: text, title: exact(text) }, mediumTime.format(new Date(text)));

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** @param {string} text */
export function agoWords(text) {
  const past = (now() - Date.parse(text)) / 1000;
  if (!Number.isFinite(past)) return text;
  if (Math.abs(past) < 10) return "just now";
  for (const [unit, long] of UNITS) {
    if (Math.abs(past) >= long) return relative.format(-Math.trunc(past / long), unit);
  }
  return relative.format(-Math.trunc(past), "second");
}

/** A point in time: 14:05 today, 12 Nov before. @param {string | undefined} text */
export function clock(text) {
  if (!text) return "";
  const when = new Date(text);
  const today = new Date(now()).toDateString() === when.toDateString();
  return h("time", { datetime: text, title: exact(text) }, (today ? shortTime : shortDate).format(when));
}

/** @param {string} text */
export const day = (text) => shortDate.format(new Date(text));

/** A number shown short, exact on hover. @param {Maybe} value @param {string} short */
export function shown(value, short) {
  return h("span", { class: "number", title: given(value) ? String(value) : null }, short);
}

/** release_model -> Release model @param {string} name */
export function words(name) {
  const spaced = String(name)
    .replaceAll(/[_-]/g, " ")
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** @param {number} many @param {string} one @param {string} [more] */
export const plural = (many, one, more = `${one}s`) => `${number(many)} ${many === 1 ? one : more}`;

/** Lets every relative time on the page go on. */
export function tickTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const next = agoWords(element.getAttribute("datetime") ?? "");
    if (element.textContent !== next) element.textContent = next;
  }
}
