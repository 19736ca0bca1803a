/** The first rows of a batch's output: the model's score first, then the client's columns. */

import { h } from "../core/dom.js";
import { percent } from "../core/format.js";
import { gridTable } from "./table.js";

/** The columns that scoring adds. */
const SAID = ["probability", "decision", "decile", "problem"];

/** @param {string} cell */
const isNumber = (cell) => cell !== "" && Number.isFinite(Number(cell));

/** @param {Api.ScoredRows} rows */
export function scoredRows({ columns, rows }) {
  const value = rows.map((row) => row.cells);
  const places = columns.map((_, place) => place);
  const order = [
    ...SAID.map((name) => columns.indexOf(name)).filter((place) => place >= 0),
    ...places.filter((place) => !SAID.includes(columns[place])),
  ];
  const filled = order.filter((place) => value.some((row) => row[place] !== ""));
  const headings = filled.map((place) => ({
    title: columns[place],
    right: value.every((row) => isNumber(row[place])),
  }));
  return gridTable(
    "First rows of the output",
    headings,
    value.map((row) => filled.map((place) => cell(columns[place], row[place]))),
  );
}

/** @param {string} name @param {string} text */
function cell(name, text) {
  if (name === "probability" && isNumber(text))
    return h("span", { title: text }, percent(Number(text), 1));
  return text;
}
