/** Which dataset a page is of. The address says so: it can be shared, and what is requested is of that dataset alone. */

import { to } from "../core/router.js";
import { segments } from "./head.js";

/**
 * The dataset that the address names. Where it names none it is completed: by one that a model answers for, if there is.
 * @param {Page.Route} here
 * @param {Api.SystemStatus} status
 */
export function chosenDataset({ view, query }, { datasets }) {
  const named = query.get("dataset");
  const first = datasets.find((each) => each.serving) ?? datasets[0];
  if (!named && first)
    queueMicrotask(() => {
      location.replace(to(view, { ...Object.fromEntries(query), dataset: first.dataset }));
    });
  return named;
}

/**
 * A choice of all datasets, by their contracts; nothing where there is only one.
 * @param {Page.Route} here
 * @param {Api.SystemStatus} status
 * @param {string} chosen
 */
export function whichDataset({ view, query }, { datasets }, chosen) {
  const names = [...new Set([...datasets.map((each) => each.dataset), chosen])];
  return (
    names.length > 1 &&
    segments(
      "Which dataset",
      names.map((dataset) => [dataset, to(view, { ...Object.fromEntries(query), dataset, after: "" }), dataset === chosen]),
    )
  );
}
