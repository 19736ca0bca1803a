/** What became of a file: upload, dataset version, run, model, deployment, batches; from scores or outcomes, back. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, digits, number, plural, shown } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { isGoing } from "../core/states.js";
import { chain } from "../parts/chain.js";
import { facts, reason, traced } from "../parts/facts.js";
import { strip } from "../parts/gantt.js";
import { head } from "../parts/head.js";
import { verdictTone } from "../parts/metrics.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { uploadDrift } from "../parts/picture.js";
import { progress } from "../parts/progress.js";

/** @param {Page.Route} here */
const searched = (here) => here.parts.join("/");

/** @param {Page.Route} here */
export const title = (here) => (here.parts.at(-1) ?? "Trace a file");
/** @param {Page.Route} here */
export const feeds = (here) =>
  here.parts.length ? { lineage: resource("lineage/{key}", { key: searched(here) }) } : {};
/** @param {unknown} _ @param {Page.Shown<typeof feeds>["feeds"]} feeds */
export function moves(_, feeds) {
  const run = feeds.lineage?.value?.run;
  return run !== undefined && isGoing(run);
}

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds }) {
  if (!feeds.lineage) return start(status);
  return [
    head({
      title: title(here),
      crumbs: [["Trace a file", to("trace")]],
      lead: "The lineage of this file, link by link: what became of it.",
    }),
    panel(
      { title: "Lineage" },
      fromFeed(feeds.lineage, ({ upload, batch, outcome, ...lineage }) => [
        chain([
          ...(outcome ? [outcomeLink(outcome)] : []),
          ...(batch ? backward(batch, lineage) : []),
          ...(upload && !batch ? forward(upload, lineage) : []),
        ]),
        facts([traced(batch ?? upload ?? outcome ?? {})]),
      ]),
    ),
  ];
}

/** @param {Api.SystemStatus} status */
function start(status) {
  const files = [
    ...status.uploads.map((upload) => [`incoming/${upload.name}`, upload.name, upload.lastModifiedAt]),
    ...status.batches.map((batch) => [`scoring/${batch.name}`, batch.name, batch.lastModifiedAt]),
  ];
  const items = files.map(([path, name, time]) =>
    h("li", {}, h("a", { class: "what", href: to("trace", ...path.split("/")) }, name), ago(time)),
  );
  return [
    head({
      title: "Trace a file",
      lead: [
        "Type a file's name, or the SHA-256 of its bytes or of its content, into the search above (key ",
        h("kbd", {}, "/"),
        "). It works for files to train on, for files of clients, and for what calls brought.",
      ],
    }),
    panel(
      { title: "The newest files", flush: true },
      items.length
        ? h("ul", { class: "lines" }, items)
        : nothing("No file yet", "Drop one: ", h("code", {}, "./dev drop FILE")),
    ),
  ];
}

// --- the links -------------------------------------------------------------------------------------------------

/**
 * @param {Api.Upload} upload
 * @param {Omit<Api.Lineage, "upload">} lineage
 */
function forward(upload, lineage) {
  const first = lineage.firstUpload;
  const links = [uploadLink(upload)];
  if (first) links.push({ ...uploadLink(first), kind: "The same rows came as" });
  if (upload.state === "rejected") return links;
  links.push(
    lineage.dataset
      ? datasetLink(lineage.dataset)
      : {
          kind: "Dataset version",
          icon: "files",
          text: h(
            "p",
            {},
            "Waits for the burst of files to be over; then everything gathered becomes one version.",
          ),
        },
  );
  links.push(
    lineage.run
      ? runLink(lineage.run)
      : future(
          "Run",
          "runs",
          "Begins when the version is registered and no other run of this dataset is going.",
        ),
  );
  links.push(
    lineage.model
      ? modelLink(lineage.model)
      : future("Model", "models", "The run's last step registers it; then it is judged on held-out rows."),
  );
  if (lineage.model?.state === "refused") return links;
  links.push(
    lineage.deployment
      ? deploymentLink(lineage.deployment)
      : future(
          "Deployment",
          "endpoint",
          "A model is put behind the endpoint unless a guard objects. Models that answered before are taken down in time.",
        ),
  );
  links.push(batchesLink(lineage.batches ?? []));
  return links;
}

/**
 * @param {Api.Batch} batch
 * @param {Omit<Api.Lineage, "batch">} lineage
 */
function backward(batch, lineage) {
  const links = [batchLink(batch)];
  for (const outcome of lineage.outcomes ?? []) links.push({ ...outcomeLink(outcome), kind: "What calls brought" });
  if (!lineage.model) return links;
  if (lineage.deployment) links.push(deploymentLink(lineage.deployment));
  links.push({ ...modelLink(lineage.model), kind: "Scored by model" });
  if (lineage.run) links.push({ ...runLink(lineage.run), kind: "Trained in run" });
  if (lineage.dataset) links.push({ ...datasetLink(lineage.dataset), kind: "On dataset version" });
  for (const upload of lineage.uploads ?? []) links.push({ ...uploadLink(upload), kind: "Made of file" });
  return links;
}

/** @type {(kind: string, icon: string, text: string) => Page.Link} */
const future = (kind, icon, text) => ({ kind, icon, text: h("p", {}, text) });

/** @param {Api.Upload} upload @returns {Page.Link} */
function uploadLink(upload) {
  const parts = [
    upload.rows !== undefined && plural(upload.rows, "row"),
    upload.rejectedRows ? `${number(upload.rejectedRows)} rejected` : "",
    upload.repeatedRows ? `${number(upload.repeatedRows)} repeat earlier rows` : "",
    ...(upload.mended ?? []).map((mended) => `${mended.column || "file"}: ${mended.how} (${number(mended.values)})`),
  ].filter(Boolean);
  const why =
    upload.links?.quarantine &&
    h("a", { href: toQuarantined(upload.name, upload.id) }, "See every reason");
  const text = [
    h(
      "p",
      {},
      "Received ",
      ago(upload.createdAt),
      parts.length > 0 && `, ${parts.join(", ")}. `,
      upload.state !== "rejected" && why,
    ),
    upload.reason && reason(upload.reason, upload.state === "rejected" ? "bad" : "rest", why),
    uploadDrift(upload),
    upload.sha256 && h("p", { class: "mono" }, "sha-256 ", upload.sha256),
  ];
  return {
    kind: "File",
    icon: upload.state === "rejected" ? "quarantine" : "files",
    title: upload.name,
    record: upload,
    text,
  };
}

/** @param {Api.DatasetVersion} dataset @returns {Page.Link} */
function datasetLink(dataset) {
  const waits = dataset.postponedBecause && h("p", {}, `Waits: ${dataset.postponedBecause}`);
  const text = [
    h(
      "p",
      {},
      dataset.rows !== undefined && `${plural(dataset.rows, "row")} of `,
      `${plural(dataset.uploads?.length ?? 0, "new file")}, registered `,
      ago(dataset.createdAt),
    ),
    waits,
  ];
  return {
    kind: "Dataset version",
    icon: "files",
    title: dataset.id,
    href: to("datasets", dataset.dataset, dataset.version),
    record: dataset,
    text,
  };
}

/** @param {Api.Run} run @returns {Page.Link} */
function runLink(run) {
  return {
    kind: "Run",
    icon: "runs",
    title: run.id,
    href: to("runs", run.id),
    record: run,
    text: [strip(run), h("p", {}, "Started ", ago(run.createdAt))],
  };
}

/** @param {Api.ModelVersion} model @returns {Page.Link} */
function modelLink(model) {
  const figures =
    model.metrics &&
    h(
      "p",
      {},
      "Log loss ",
      shown(model.metrics.logLoss, digits(model.metrics.logLoss, 4)),
      ", AUC ",
      shown(model.metrics.auc, digits(model.metrics.auc, 4)),
    );
  return {
    kind: "Model",
    icon: "models",
    title: model.id,
    href: to("models", model.dataset, model.version),
    record: model,
    text: [reason(model.reason, verdictTone(model)), figures],
  };
}

/** @param {Api.Deployment} deployment @returns {Page.Link} */
function deploymentLink(deployment) {
  const text = h(
    "p",
    {},
    `${deployment.trafficPercent} % of the traffic of ${deployment.endpoint}, since `,
    ago(deployment.releasedAt),
  );
  return {
    kind: "Deployment",
    icon: "endpoint",
    title: deployment.deployment,
    href: to("endpoint", { dataset: deployment.dataset }),
    record: deployment,
    text,
  };
}

/** @param {Api.OutcomeUpload} outcome @returns {Page.Link} */
function outcomeLink(outcome) {
  const parts = [
    outcome.rows !== undefined && `the outcomes of ${plural(outcome.rows, "row")}`,
    outcome.rejectedRows ? `${number(outcome.rejectedRows)} rejected` : "",
    outcome.blankRows ? `${number(outcome.blankRows)} without an answer yet` : "",
  ].filter(Boolean);
  return {
    kind: "File of outcomes",
    icon: "files",
    title: outcome.name,
    record: outcome,
    text: [
      h("p", {}, "Received ", ago(outcome.createdAt), parts.length > 0 && `, ${parts.join(", ")}`),
      outcome.reason && reason(outcome.reason, outcome.state === "refused" ? "bad" : "rest"),
    ],
  };
}

/** @param {Api.Batch[]} batches @returns {Page.Link} */
function batchesLink(batches) {
  if (batches.length === 0) return future("Batches", "batches", "None was scored by this model yet.");
  const items = batches
    .slice(0, 12)
    .map((batch) =>
      h(
        "li",
        {},
        h("a", { href: to("batches", batch.id) }, batch.name),
        ` ${plural(batch.rows ?? 0, "row")}, `,
        ago(batch.lastModifiedAt),
      ),
    );
  return {
    kind: "Batches",
    icon: "batches",
    title: `${plural(batches.length, "batch", "batches")} scored by it`,
    record: batches[0],
    text: h("ul", { class: "small" }, items),
  };
}

/** @param {Api.Batch} batch @returns {Page.Link} */
function batchLink(batch) {
  const text = [
    h("p", {}, "Received ", ago(batch.createdAt), batch.output && [", output in ", h("code", {}, batch.output)]),
    batch.reason && reason(batch.reason, "bad"),
    batch.state === "scoring" && progress(batch),
    !batch.modelVersion && h("p", {}, "No model has scored it yet."),
  ];
  return {
    kind: "File of clients",
    icon: "batches",
    title: batch.name,
    href: to("batches", batch.id),
    record: batch,
    text,
  };
}
