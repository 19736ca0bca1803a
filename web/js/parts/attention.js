/** What needs a person: dead-lettered steps, releases and lists that are held, rows in doubt, files in quarantine. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { ago, plural, words } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { needsPerson } from "../core/states.js";
import { badge } from "./badge.js";
import { approveBatch, retryFailure, trust, withdraw } from "./operator.js";
import { nothing, panel } from "./panel.js";
import { doubtPicture } from "./picture.js";

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** Files in one doubt that get a button each; the dataset version's page names them all. */
const MOST_BUTTONS = 3;

/**
 * @param {Api.SystemStatus} status
 * @param {Feed<"quarantine">} quarantine
 * @param {Feed<"datasets">} doubted
 * @param {Live} live
 */
export function attention(status, quarantine, doubted, live) {
  const doubts = (doubted.value?.value ?? []).filter(needsPerson);
  const lists = status.batches.filter(needsPerson);
  const held = (quarantine.value?.value ?? []).filter(needsPerson);
  const failures = status.failures.filter(needsPerson);
  const releases = status.models.filter(needsPerson);
  const items = [
    ...failures.map((failure) => failureItem(failure, live)),
    ...releases.map(releaseItem),
    ...doubts.map((dataset) => doubtItem(dataset, live)),
    ...lists.map((batch) => listItem(batch, live)),
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
      : nothing("Nothing needs you", "Files in quarantine, rows in doubt, releases that are held and dead-lettered steps appear here."),
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

/** @param {Api.DatasetVersion} dataset @param {Live} live */
function doubtItem(dataset, live) {
  const href = to("datasets", dataset.dataset, dataset.version);
  return h(
    "li",
    { key: dataset.id },
    h("a", { class: "what", href }, `Rows of ${dataset.id} `, badge(dataset.state, "dataset")),
    ago(dataset.lastModifiedAt),
    h("p", { class: "why" }, dataset.doubtedBecause),
    doubtPicture(dataset),
    h("div", { class: "tools" }, doubtButtons(dataset, live)),
  );
}

/** Both ways out. @param {Api.DatasetVersion} dataset @param {Live} live */
export const doubtButtons = (dataset, live) => [
  actionButton(trust(dataset), live),
  (dataset.uploads ?? []).slice(0, MOST_BUTTONS).map((upload) => actionButton(withdraw(upload), live)),
];

/** @param {Api.Batch} batch @param {Live} live */
function listItem(batch, live) {
  const href = to("batches", batch.id);
  return h(
    "li",
    { key: batch.id },
    h("a", { class: "what", href }, batch.name, " ", badge(batch.state, "batch")),
    ago(batch.lastModifiedAt),
    h("p", { class: "why" }, batch.reason),
    h("div", { class: "tools" }, actionButton(approveBatch(batch), live)),
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
