/** What became of a file: upload, dataset version, run, model, deployment, batches; or, from a scored file, back. */

import { h } from "../core/dom.js";
import { ago, digits, number, plural, shown } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { isGoing } from "../core/states.js";
import { chain } from "../parts/chain.js";
import { reason } from "../parts/facts.js";
import { strip } from "../parts/gantt.js";
import { head } from "../parts/head.js";
import { verdictTone } from "../parts/metrics.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { progress } from "../parts/progress.js";

const searched = (here) => here.parts.join("/");

export const title = (here) => (here.parts.length ? here.parts.at(-1) : "Trace a file");
export const feeds = (here) => (here.parts.length ? { trace: [`trace/${searched(here)}`] } : {});
export const moves = (_, feeds) => isGoing(feeds.trace?.value?.run ?? {});

export function draw({ here, status, feeds }) {
  if (!feeds.trace) return start(status);
  return [
    head({
      title: title(here),
      crumbs: [["Trace a file", to("trace")]],
      lead: "The lineage of this file, link by link: what became of it.",
    }),
    panel(
      { title: "Lineage" },
      fromFeed(feeds.trace, (value) => chain(value.batch ? backward(value) : forward(value)), {
        isEmpty: () => false,
      }),
    ),
  ];
}

function start(status) {
  const files = [
    ...status.uploads.map((upload) => [`incoming/${upload.name}`, upload.name, upload.updated]),
    ...status.batches.map((batch) => [`scoring/${batch.name}`, batch.name, batch.updated]),
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
        "). It works for files to train on and for files of clients.",
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

function forward(trace) {
  const { upload, same_as: same } = trace;
  const links = [uploadLink(upload)];
  if (same) links.push({ ...uploadLink(same), kind: "The same rows came as" });
  if (upload.state === "rejected") return links;
  links.push(
    trace.dataset
      ? datasetLink(trace.dataset)
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
    trace.run
      ? runLink(trace.run)
      : future(
          "Run",
          "runs",
          "Begins when the version is registered and no other run of this dataset is going.",
        ),
  );
  links.push(
    trace.model
      ? modelLink(trace.model)
      : future("Model", "models", "The run's last step registers it; then it is judged on held-out rows."),
  );
  if (trace.model?.state === "refused") return links;
  links.push(
    trace.deployment
      ? deploymentLink(trace.deployment)
      : future(
          "Deployment",
          "endpoint",
          "Only a model that proved better is put behind the endpoint. Models that answered before are taken down in time.",
        ),
  );
  links.push(batchesLink(trace.batches ?? []));
  return links;
}

function backward(trace) {
  const links = [batchLink(trace.batch)];
  if (!trace.model) return links;
  if (trace.deployment) links.push(deploymentLink(trace.deployment));
  links.push({ ...modelLink(trace.model), kind: "Scored by model" });
  if (trace.run) links.push({ ...runLink(trace.run), kind: "Trained in run" });
  if (trace.dataset) links.push({ ...datasetLink(trace.dataset), kind: "On dataset version" });
  for (const upload of trace.uploads ?? []) links.push({ ...uploadLink(upload), kind: "Made of file" });
  return links;
}

const future = (kind, icon, text) => ({ kind, icon, text: h("p", {}, text) });

function uploadLink(upload) {
  const parts = [
    upload.rows !== undefined && plural(upload.rows, "row"),
    upload.rejected_rows ? `${number(upload.rejected_rows)} rejected` : "",
  ].filter(Boolean);
  const why =
    upload.links?.quarantine &&
    h("a", { href: toQuarantined(upload.name, upload.id) }, "See every reason");
  const text = [
    h(
      "p",
      {},
      "Came ",
      ago(upload.created),
      parts.length > 0 && `, ${parts.join(", ")}. `,
      upload.state !== "rejected" && why,
    ),
    upload.reason && reason(upload.reason, upload.state === "rejected" ? "bad" : "rest", why),
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

function datasetLink(dataset) {
  const waits = dataset.waiting_for && h("p", {}, `Waits: ${dataset.waiting_for}`);
  const text = [
    h(
      "p",
      {},
      `${plural(dataset.rows, "row")} of ${plural(dataset.uploads?.length ?? 0, "new file")}, registered `,
      ago(dataset.created),
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

function runLink(run) {
  return {
    kind: "Run",
    icon: "runs",
    title: run.id,
    href: to("runs", run.id),
    record: run,
    text: [strip(run), h("p", {}, "Started ", ago(run.created))],
  };
}

function modelLink(model) {
  const figures =
    model.figures &&
    h(
      "p",
      {},
      "Log loss ",
      shown(model.figures.log_loss, digits(model.figures.log_loss, 4)),
      ", AUC ",
      shown(model.figures.auc, digits(model.figures.auc, 4)),
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

function deploymentLink(deployment) {
  const text = h(
    "p",
    {},
    `${deployment.traffic} % of the traffic of ${deployment.endpoint}, since `,
    ago(deployment.since),
  );
  return {
    kind: "Deployment",
    icon: "endpoint",
    title: deployment.deployment,
    href: to("endpoint"),
    record: deployment,
    text,
  };
}

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
        ago(batch.updated),
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

function batchLink(batch) {
  const text = [
    h("p", {}, "Came ", ago(batch.created), batch.output && [", output in ", h("code", {}, batch.output)]),
    batch.reason && reason(batch.reason, "bad"),
    batch.state === "scoring" && progress(batch),
    !batch.model_version && h("p", {}, "No model has scored it yet."),
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
