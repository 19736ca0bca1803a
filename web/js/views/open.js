/** The way from a message to the very thing that it is about: "#/open/batch/ID" is the batch's own page. */

import { h } from "../core/dom.js";
import { to, toRecord } from "../core/router.js";

export const title = () => "Open";

/** @param {Page.Shown} shown */
export function draw({ here }) {
  const [kind, id] = here.parts;
  const place = kind && id ? toRecord(kind, id) : to();
  queueMicrotask(() => location.replace(place));
  return h("p", {}, h("a", { href: place }, "Open"));
}
