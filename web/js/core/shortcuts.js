/** Keys: "/" to search, "g" and a letter to go somewhere, "?" for this list. */

import { element, h, show } from "./dom.js";

/** @type {Record<string, [view: string, name: string]>} */
const PLACES = {
  n: ["now", "Now"],
  f: ["flow", "Flow"],
  d: ["files", "Files"],
  q: ["quarantine", "Quarantine"],
  r: ["runs", "Runs"],
  m: ["models", "Models"],
  b: ["batches", "Batches"],
  e: ["endpoint", "Endpoint"],
  a: ["api", "API"],
  v: ["events", "Events"],
  u: ["audit", "Audit, for admins"],
};

let going = 0;

/** Listens to the whole page. */
export function bindShortcuts() {
  document.addEventListener("keydown", pressed);
  element("keys").addEventListener("click", help);
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    typing(event.target) ||
    document.querySelector("dialog[open]")
  )
    return;
  const inTime = Date.now() - going < 1500;
  going = 0;
  if (inTime && PLACES[event.key]) location.hash = `#/${PLACES[event.key][0]}`;
  else if (event.key === "/") element("search-name").focus();
  else if (event.key === "?") help();
  else if (event.key === "g") {
    going = Date.now();
    return;
  } else return;
  event.preventDefault();
}

/** @param {EventTarget | null} target */
const typing = (target) =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

/** The list of keys, as a dialog. */
export function help() {
  const dialog = /** @type {HTMLDialogElement} */ (element("help"));
  const rows = [
    ["Trace a file", "/"],
    ["These keys", "?"],
    ...Object.entries(PLACES).map(([key, [, name]]) => [name, `g ${key}`]),
  ];
  show(
    dialog,
    h("h2", { id: "help-title" }, "Keys"),
    h(
      "dl",
      { class: "keys" },
      rows.map(([what, keys]) => [
        h("dt", {}, what),
        h(
          "dd",
          {},
          keys.split(" ").map((key) => [h("kbd", {}, key), " "]),
        ),
      ]),
    ),
    h("form", { class: "tools", method: "dialog" }, h("button", { class: "button" }, "Close")),
  );
  dialog.showModal();
}
