/** Records as rows. On a phone each row becomes a card; by its roles it stays a table for screen readers. */

import { h } from "../core/dom.js";
import { to } from "../core/router.js";
import { nothing } from "./panel.js";

/**
 * @template {{ id: string | number, kind?: string }} R
 * @param {string} label
 * @param {Page.Column<R>[]} columns
 * @param {R[]} records
 */
export function table(label, columns, records) {
  if (records.length === 0) return noneOnPage();
  return h(
    "div",
    {
      class: "table",
      role: "table",
      "aria-label": label,
      vars: { "--columns": columns.map((column) => column.width).join(" ") },
    },
    h(
      "div",
      { role: "row", class: "head" },
      columns.map((column) =>
        h("span", { role: "columnheader", class: column.right ? "right" : null }, column.title),
      ),
    ),
    h(
      "div",
      { role: "rowgroup" },
      records.map((record) => row(columns, record)),
    ),
  );
}

/** What stands in place of a page's records where it has none. */
export const noneOnPage = () =>
  nothing("None on this page", "Each page looks through a part of the list; there may be some on the others.");

/**
 * @template {{ id: string | number, kind?: string }} R
 * @param {Page.Column<R>[]} columns
 * @param {R} record
 */
function row(columns, record) {
  const cells = columns.map((column) => {
    const of = [column.name && "name", column.right && "right"].filter(Boolean).join(" ");
    return h("div", { role: "cell", class: of || null, "data-label": column.title }, column.cell(record));
  });
  return h("div", { role: "row", key: `${record.kind ?? ""} ${record.id}` }, cells);
}

/**
 * Newest and older pages of a list; the address holds the place.
 * @param {{ nextLink?: string }} value
 * @param {string[]} view
 * @param {URLSearchParams} query
 */
export function pages(value, view, query) {
  const next = value.nextLink && new URL(value.nextLink, document.baseURI).searchParams.get("after");
  const here = Object.fromEntries(query);
  if (!next && !here.after) return null;
  return h(
    "nav",
    { class: "pages", "aria-label": "Pages" },
    here.after ? h("a", { href: to(...view, { ...here, after: "" }) }, "Newest") : h("span"),
    next && h("a", { href: to(...view, { ...here, after: next }) }, "Older →"),
  );
}

/**
 * A small table of plain values.
 * @param {string} caption
 * @param {Page.GridColumn[]} columns
 * @param {Page.Child[][]} rows
 */
export function gridTable(caption, columns, rows, classes = "") {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: `grid-table ${classes}` },
      h("caption", { class: "visually-hidden" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((column) =>
            h("th", { scope: "col", class: column.right ? "right" : null }, column.title),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((cells) =>
          h(
            "tr",
            {},
            cells.map((cell, place) =>
              h(
                "td",
                {
                  class:
                    [columns[place].right && "right", columns[place].wrap && "wrap"]
                      .filter(Boolean)
                      .join(" ") || null,
                },
                cell,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
