/** What needs a person: steps that were given up, files in quarantine. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { ago, words } from "../core/format.js";
import { to } from "../core/router.js";
import { badge } from "./badge.js";
import { retryFailure } from "./operator.js";
import { nothing, panel } from "./panel.js";

export function attention(status, quarantine, live) {
  const rejected = (quarantine.value?.value ?? status.uploads).filter(
    (upload) => upload.state === "rejected",
  );
  const failures = status.failures.filter((failure) => failure.state === "given-up");
  const items = [...failures.map((failure) => failureItem(failure, live)), ...rejected.map(rejectedItem)];
  return panel(
    {
      title: "Needs a person",
      flush: true,
      name: "attention",
      tools: rejected.length > 0 && h("a", { class: "more", href: to("quarantine") }, "Quarantine"),
    },
    items.length > 0
      ? h("ul", { class: "lines" }, items)
      : nothing("Nothing needs you", "Files in quarantine and steps that were given up appear here."),
  );
}

function failureItem(failure, live) {
  return h(
    "li",
    { key: failure.id },
    h(
      "span",
      { class: "what" },
      words(failure.about.split(" ")[0]),
      failure.about.includes(" ") && ` ${failure.about.slice(failure.about.indexOf(" ") + 1)}`,
      " ",
      badge(failure.state),
    ),
    ago(failure.updated),
    h("p", { class: "why" }, failure.reason),
    h("div", { class: "tools" }, actionButton(retryFailure(failure), live)),
  );
}

function rejectedItem(upload) {
  return h(
    "li",
    { key: upload.id },
    h(
      "a",
      { class: "what", href: to("quarantine", ...upload.name.split("/")) },
      upload.name,
      " ",
      badge(upload.state),
    ),
    ago(upload.updated),
    h(
      "p",
      { class: "why" },
      upload.reason,
      " ",
      h("a", { href: to("quarantine", ...upload.name.split("/")) }, "See every reason"),
    ),
  );
}
