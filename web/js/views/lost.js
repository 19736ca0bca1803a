/** An address this page does not know. */

import { h } from "../core/dom.js";
import { to } from "../core/router.js";
import { head } from "../parts/head.js";
import { nothing, panel } from "../parts/panel.js";

export const title = () => "No such page";

/** @param {Page.Shown} shown */
export function draw({ here }) {
  return [
    head({ title: "No such page" }),
    panel(
      { title: here.view },
      nothing(
        "There is no view of this name",
        "Choose one at the side, or go to ",
        h("a", { href: to() }, "Now"),
        ".",
      ),
    ),
  ];
}
