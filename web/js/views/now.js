/** Now: the state of things in a sentence, what answers, what is under way, what needs a person, what happened. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { ago, compact, digits, number, percent, plural, shown, words } from "../core/format.js";
import { to } from "../core/router.js";
import { badge } from "../parts/badge.js";
import { gantt, isOver } from "../parts/gantt.js";
import { feedList } from "../parts/happened.js";
import { pause, retryFailure, scoreNow } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { progress } from "../parts/progress.js";
import { spark } from "../parts/spark.js";

export const title = () => "Now";
export const feeds = () => ({
  events: ["events", { maxpagesize: 30 }], models: ["models", { maxpagesize: 30 }], batches: ["batches", { maxpagesize: 20 }],
  quarantine: ["uploads", { state: "rejected", maxpagesize: 5 }],
});
export const moves = (status) => Boolean(status) && (going(status.runs).length > 0 || status.batches.some((batch) => batch.state === "scoring"));

const going = (runs) => runs.filter((run) => !isOver(run));

export function draw({ status, feeds, live }) {
  return h(
    "div", { class: "stack" },
    h(
      "div", { class: "view-head" },
      h("h1", { class: "headline", tabindex: "-1" }, headline(status)),
      h("div", { class: "tools" }, actionButton(scoreNow(), live), !status.paused && actionButton(pause(), live)),
    ),
    way(status),
    h(
      "div", { class: "wide-left" },
      h("div", { class: "stack" }, underWay(status, feeds.batches), attention(status, feeds.quarantine, live)),
      h("div", { class: "stack" }, status.datasets.map((dataset) => answerCard(dataset, feeds.models)), happened(feeds.events)),
    ),
  );
}

// --- the sentence ----------------------------------------------------------------------------------------------

function headline(status) {
  const serving = status.datasets.filter((dataset) => dataset.serving);
  const answers = serving.length === 0
    ? "No model answers yet."
    : [serving.map((dataset, place) => [place ? "; " : "", h("em", {}, `Model ${dataset.serving.version}`), " answers for ", dataset.dataset]), "."];
  return [answers, " ", doing(status), " ", needs(status)];
}

function doing(status) {
  const runs = going(status.runs);
  const scoring = status.batches.filter((batch) => batch.state === "scoring");
  const parts = [];
  if (runs.length === 1) parts.push(`version ${runs[0].version} is being trained`);
  if (runs.length > 1) parts.push(`${runs.length} versions are being trained`);
  if (scoring.length) parts.push(`${plural(scoring.length, "batch is", "batches are")} being scored`);
  if (parts.length === 0) return "All is quiet.";
  const text = parts.join(" and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function needs(status) {
  if (status.attention === 0) return "Nothing needs you.";
  return h("em", { "data-tone": "bad" }, `${plural(status.attention, "thing needs", "things need")} a person.`);
}

// --- the way of data, in six numbers ---------------------------------------------------------------------------

function way(status) {
  const of = (kind, ...states) => states.reduce((sum, state) => sum + (status.counts[kind]?.[state] ?? 0), 0);
  const all = (kind) => Object.values(status.counts[kind] ?? {}).reduce((sum, count) => sum + count, 0);
  const gathering = status.datasets.reduce((sum, dataset) => sum + dataset.gathering, 0);
  const places = [
    ["Files", all("upload"), to("files"), [[of("upload", "arrived", "admitted"), "being checked"], [gathering, "gathering"]]],
    ["Dataset versions", all("dataset"), to("datasets"), [[of("dataset", "waiting"), "waiting"], [of("dataset", "training"), "training"]]],
    ["Runs", all("run"), to("runs"), [[of("run", "started", "running"), "running"]]],
    ["Models judged", all("model"), to("models"), [[of("model", "releasing"), "releasing"]]],
    ["Now in service", status.datasets.filter((dataset) => dataset.serving).length, to("endpoint"), []],
    ["Batches", all("batch"), to("batches"), [[of("batch", "due", "scoring"), "under way"]]],
  ];
  return h("ol", { class: "panel way", "aria-label": "The way of the data, in numbers" }, places.map(([label, many, href, doing]) => h(
    "li", {}, h("a", { href }, h("b", { title: number(many) }, compact(many)), h("span", { class: "label" }, label)),
    h("span", { class: "doing" }, doing.filter(([count]) => count > 0).map(([count, what]) => `${number(count)} ${what}`).join(", ")),
  )));
}

// --- what answers ----------------------------------------------------------------------------------------------

function answerCard(dataset, models) {
  const known = (models.value?.value ?? []).filter((model) => model.dataset === dataset.dataset && model.figures).sort((a, b) => a.version - b.version);
  const serving = known.find((model) => model.version === dataset.serving?.version);
  return h(
    "section", { class: "panel answer-card", "aria-label": dataset.dataset, key: dataset.dataset },
    h("div", { class: "top" }, h("h2", {}, h("a", { href: to("models", { dataset: dataset.dataset }) }, dataset.dataset)), dataset.serving ? badge("serving") : h("span", { class: "badge" }, "no model yet")),
    dataset.serving ? served(dataset, serving, known) : h("p", { class: "quiet" }, "Its first model is trained as soon as a file of its kind is admitted. ", h("code", {}, "./dev drop FILE")),
    h("p", { class: "small quiet" }, standing(dataset)),
  );
}

function served(dataset, model, known) {
  const lines = known.map((each) => each.figures.log_loss);
  return [
    h(
      "div", { class: "figure" }, h("a", { href: to("models", dataset.dataset, dataset.serving.version) }, h("b", {}, `v${dataset.serving.version}`)),
      h("span", { class: "quiet" }, "answers since ", ago(dataset.serving.since)),
    ),
    model && h("div", { class: "small quiet" }, "AUC ", shown(model.figures.auc, digits(model.figures.auc, 3)), " · log loss ", shown(model.figures.log_loss, digits(model.figures.log_loss, 4)), lift(model)),
    lines.length > 1 && spark(lines.slice(-12), `Log loss of the last ${Math.min(12, lines.length)} versions, from ${digits(lines.at(-Math.min(12, lines.length)), 4)} to ${digits(lines.at(-1), 4)}`),
  ];
}

function lift(model) {
  const baseline = model.baseline?.log_loss;
  return baseline ? `, ${percent((baseline - model.figures.log_loss) / baseline)} below the base rate's` : "";
}

function standing(dataset) {
  const parts = [];
  if (dataset.version) parts.push(`Newest dataset version ${dataset.version}${dataset.rows ? `, ${plural(dataset.rows, "row")}` : ""}`);
  if (dataset.gathering) parts.push(`${plural(dataset.gathering, "file")} gathering for the next`);
  return parts.join(" · ");
}

// --- under way -------------------------------------------------------------------------------------------------

function underWay(status, batches) {
  const runs = going(status.runs);
  const scoring = (batches.value?.value ?? status.batches).filter((batch) => ["due", "scoring"].includes(batch.state));
  const items = [...runs.map(runItem), ...scoring.map(batchItem)];
  return panel(
    { title: "Under way", flush: true, name: "under-way" },
    items.length > 0
      ? h("ul", { class: "in-progress" }, items)
      : nothing("Nothing is under way", "A dropped file, a retrain or the scoring clock begins something."),
  );
}

function runItem(run) {
  return h(
    "li", { key: run.id },
    h("div", { class: "top" }, h("a", { class: "what", href: to("runs", run.id) }, `Training ${run.dataset}, version ${run.version}`), h("span", { class: "small quiet" }, "started ", ago(run.created))),
    gantt(run),
  );
}

function batchItem(batch) {
  return h(
    "li", { key: batch.id },
    h("div", { class: "top" }, h("a", { class: "what", href: to("batches", batch.id) }, `${batch.state === "due" ? "Waiting" : "Scoring"}: ${batch.name}`), h("span", { class: "small quiet" }, batch.model_version ? `by model ${batch.model_version}` : "waits for its turn")),
    batch.state === "scoring" && progress(batch),
  );
}

function happened(events) {
  const list = (value) => feedList(value.value, "What happened, newest first");
  const empty = nothing("Nothing has happened yet", "Drop a file: ", h("code", {}, "./dev drop FILE"));
  return panel({ title: "What happened", flush: true, tools: h("a", { class: "more", href: to("events") }, "All events") }, fromFeed(events, list, { empty }));
}

// --- needs a person --------------------------------------------------------------------------------------------

function attention(status, quarantine, live) {
  const rejected = (quarantine.value?.value ?? status.uploads).filter((upload) => upload.state === "rejected");
  const failures = status.failures.filter((failure) => failure.state === "given-up");
  const items = [...failures.map((failure) => failureItem(failure, live)), ...rejected.map(rejectedItem)];
  return panel(
    { title: "Needs a person", flush: true, name: "attention", tools: rejected.length > 0 && h("a", { class: "more", href: to("quarantine") }, "Quarantine") },
    items.length > 0 ? h("ul", { class: "lines" }, items) : nothing("Nothing needs you", "Files in quarantine and steps that were given up appear here."),
  );
}

function failureItem(failure, live) {
  return h(
    "li", { key: failure.id },
    h("span", { class: "what" }, words(failure.about.split(" ")[0]), failure.about.includes(" ") && ` ${failure.about.slice(failure.about.indexOf(" ") + 1)}`, " ", badge(failure.state)), ago(failure.updated),
    h("p", { class: "why" }, failure.reason),
    h("div", { class: "tools" }, actionButton(retryFailure(failure), live)),
  );
}

function rejectedItem(upload) {
  return h(
    "li", { key: upload.id },
    h("a", { class: "what", href: to("quarantine", ...upload.name.split("/")) }, upload.name, " ", badge(upload.state)), ago(upload.updated),
    h("p", { class: "why" }, upload.reason, " ", h("a", { href: to("quarantine", ...upload.name.split("/")) }, "See every reason")),
  );
}
