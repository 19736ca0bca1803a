/** What needs a person: dead-lettered steps, releases and lists that are held, rows in doubt, files in quarantine. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, plural, words } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { needsPerson, waitingStates } from "../core/states.js";
import { badge } from "./badge.js";
import { approveBatch, retryFailure, trust, withdraw } from "./operator.js";
import { failed, loading, nothing, panel } from "./panel.js";
import { doubtPicture } from "./picture.js";

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** Of each kind; how many more there are is said. */
const MOST = 5;
/** Files in one doubt that get a button each; the dataset version's page names them all. */
const MOST_BUTTONS = 3;

/** What waits, of each kind: the status has the newest of each, which may all be of other states. */
export const attentionFeeds = () => ({
  failures: counted("failure", resource("failures", { state: waitingStates("failure")[0], maxpagesize: MOST })),
  releases: counted("model", resource("models", { state: waitingStates("model")[0], maxpagesize: MOST })),
  doubted: counted("dataset", resource("datasets", { state: waitingStates("dataset")[0], maxpagesize: MOST })),
  held: counted("batch", resource("batches", { state: waitingStates("batch")[0], maxpagesize: MOST })),
  quarantine: counted("quarantine", resource("quarantine", { state: waitingStates("quarantine")[0], maxpagesize: MOST })),
});

/**
 * A list that is requested while the status counts something in it: the app looks through a part of its records for it.
 * @template {Api.Path} P
 * @param {Page.Kind} kind
 * @param {Page.Resource<P>} of
 * @returns {Page.Resource<P>}
 */
const counted = (kind, of) => ({ ...of, wanted: (_, status) => status !== null && waitingCount(status, kind) > 0 });

/** @param {Api.SystemStatus} status @param {Page.Kind} kind */
const waitingCount = ({ stateCounts }, kind) =>
  waitingStates(kind).reduce((sum, state) => sum + (stateCounts[kind]?.[state] ?? 0), 0);

/**
 * @param {Api.SystemStatus} status
 * @param {Page.Feeds<ReturnType<typeof attentionFeeds>>} feeds
 * @param {Live} live
 */
export function attention(status, feeds, live) {
  /** @type {<R extends Page.Stateful>(kind: R["kind"], feed: Lists<R>, line: (record: R) => Page.Child, rest: (many: number) => Page.Child) => Page.Child[]} */
  const lines = (kind, feed, line, rest) => waiting(waitingCount(status, kind), kind, feed, line, rest);
  const items = [
    ...lines("failure", feeds.failures, (failure) => failureItem(failure, live), moreFailures),
    ...lines("model", feeds.releases, releaseItem, (many) =>
      h("a", { href: to("models") }, plural(many, "more release waits", "more releases wait")),
    ),
    ...lines("dataset", feeds.doubted, (dataset) => doubtItem(dataset, live), (many) =>
      h("a", { href: to("datasets", { state: waitingStates("dataset")[0] }) }, plural(many, "more dataset version"), " in doubt"),
    ),
    ...lines("batch", feeds.held, (batch) => listItem(batch, live), (many) =>
      h("a", { href: to("batches", { state: waitingStates("batch")[0] }) }, plural(many, "more list"), " held"),
    ),
    ...lines("quarantine", feeds.quarantine, heldItem, (many) =>
      h("a", { href: to("quarantine", { state: waitingStates("quarantine")[0] }) }, plural(many, "more file"), " in quarantine"),
    ),
  ];
  return panel(
    {
      title: "Needs a person",
      flush: true,
      name: "attention",
      tools: waitingCount(status, "quarantine") > 0 && h("a", { class: "more", href: to("quarantine") }, "Quarantine"),
    },
    items.length > 0
      ? h("ul", { class: "lines" }, items)
      : nothing(
          "Nothing waits for a person",
          "Files in quarantine, rows in doubt, releases and lists that are held and dead-lettered steps appear here.",
        ),
  );
}

/**
 * @template {Page.Stateful} R
 * @typedef {{ value: { value: R[] } | null, error: Page.Trouble | null }} Lists
 */

/**
 * A line for each that waits, and one for those that the status counts besides: they are further back in the list.
 * @template {Page.Stateful} R
 * @param {number} count
 * @param {Page.Kind} kind
 * @param {Lists<R>} feed
 * @param {(record: R) => Page.Child} line
 * @param {(many: number) => Page.Child} rest
 * @returns {Page.Child[]}
 */
function waiting(count, kind, feed, line, rest) {
  if (count === 0) return [];
  if (feed.value === null) return [h("li", { key: kind }, feed.error ? failed(feed.error) : loading())];
  const found = feed.value.value.filter(needsPerson);
  const more = count - found.length;
  return [...found.map(line), more > 0 && h("li", { key: kind }, h("span", { class: "what" }, rest(more)))];
}

/** They have no page of their own here. @param {number} many */
const moreFailures = (many) => [plural(many, "more dead letter"), ": ", h("code", {}, "./dev failures")];

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
