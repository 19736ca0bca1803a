/** What needs a person: steps that were dead-lettered, releases that are held, files in quarantine. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { ago, plural, words } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { needsPerson } from "../core/states.js";
import { badge } from "./badge.js";
import { retryFailure } from "./operator.js";
import { nothing, panel } from "./panel.js";

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** @param {Api.SystemStatus} status @param {Feed<"quarantine">} quarantine @param {Live} live */
export function attention(status, quarantine, live) {
  const held = (quarantine.value?.value ?? []).filter(needsPerson);
  const failures = status.failures.filter(needsPerson);
  const releases = status.models.filter(needsPerson);
  const items = [
    ...failures.map((failure) => failureItem(failure, live)),
    ...releases.map(releaseItem),
    ...held.map(heldItem),
  ];
  return panel(
    {
      title: "Needs a person",
      flush: true,
      name: "attention",
      tools: held.length > 0 && h("a", { class: "more", href: to("quarantine") }, "Quarantine"),
    },
    items.length > 0
      ? h("ul", { class: "lines" }, items)
      : nothing("Nothing needs you", "Files in quarantine, releases that are held and dead-lettered steps appear here."),
  );
}

/** @param {Api.Failure} failure @param {Live} live */
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
      badge(failure.state, "failure"),
    ),
    ago(failure.lastModifiedAt),
    h("p", { class: "why" }, failure.reason),
    h("div", { class: "tools" }, actionButton(retryFailure(failure), live)),
  );
}

/** @param {Api.ModelVersion} model */
function releaseItem(model) {
  const href = to("models", model.dataset, model.version);
  return h(
    "li",
    { key: model.id },
    h("a", { class: "what", href }, model.id, " ", badge(model.state, "model")),
    ago(model.lastModifiedAt),
    h("p", { class: "why" }, model.heldBecause, ". ", h("a", { href }, "Approve or reject it")),
  );
}

/** @param {Api.QuarantinedUpload} file */
function heldItem(file) {
  const href = toQuarantined(file.name, file.upload);
  return h(
    "li",
    { key: file.id },
    h("a", { class: "what", href }, file.name, " ", badge(file.state, "quarantine")),
    ago(file.lastModifiedAt),
    h(
      "p",
      { class: "why" },
      file.reason ?? `${plural(file.rows, "row")} rejected, the others admitted.`,
      " ",
      h("a", { href }, "See every reason"),
    ),
  );
}
