/** An operator's actions in words: the dialog's question, and what is said when it is done. */

import { address } from "../../public/js/api.js";
import { uploadName } from "../core/router.js";

/** @param {File | null} file */
const named = (file) => file?.name ?? "";

/** What the button is called, where it is and where it is spoken of. @param {string} dataset */
export const retrainLabel = (dataset) => `Retrain ${dataset}`;

/** @type {(dataset: string) => Page.Action} */
export const retrain = (dataset) => ({
  label: retrainLabel(dataset),
  title: `Retrain ${dataset} now?`,
  to: () => address("datasets/{dataset}/retrain", { dataset }),
  done: `A run for ${dataset} is due.`,
  text: "What has gathered becomes a dataset version and is trained on. The new model answers unless a guard objects: it is surely worse on the same held-out rows, for instance.",
});

/** @type {() => Page.Action} */
export const tryChannels = () => ({
  label: "Send a test message",
  title: "Send a test message to every channel?",
  to: () => address("alert-channels/test"),
  done: "Every channel took the test message.",
  text: "Whoever is told of alerts gets a message that says that it is a test. The newest alert of this list says what came of it in each channel.",
});

/** @type {() => Page.Action} */
export const scoreNow = () => ({
  label: "Score now",
  title: "Score what lies in scoring now?",
  to: () => address("batches"),
  done: "Files that wait are being collected.",
  text: "Every file in the container scoring that was not scored yet is scored by the model in service.",
});

/** @type {() => Page.Action} */
export const upload = () => ({
  label: "Upload a file",
  title: "Upload a file to train on?",
  to: (file) => address("uploads/{name}", { name: named(file) }),
  file: true,
  done: "The file is here; it is validated against the data contract now.",
  text: "It is put into the container incoming under its own name, as any other way would. A file whose rows are known already is a duplicate.",
});

/** @type {() => Page.Action} */
export const uploadClients = () => ({
  label: "Upload clients",
  title: "Upload a file of clients to score?",
  to: (file) => address("batches/{batch}", { batch: named(file) }),
  file: true,
  done: "The file is here; it is scored next.",
  text: "It is put into the container scoring under its own name, and scored by the model in service.",
});

/** @type {(upload: Api.Upload) => Page.Action} */
export const retry = ({ name, id }) => ({
  label: "Check again",
  title: `Check ${name} again?`,
  to: () => address("quarantine/{name}/retry", { name, upload: id }),
  done: `${name} is validated against the contract again.`,
  text: "Use this after the data contract was changed. The same file is validated against it anew.",
});

/** @type {(upload: Api.Upload) => Page.Action} */
export const readmit = ({ name, id }) => ({
  label: "Readmit the rejected rows",
  title: `Readmit the rejected rows of ${name}?`,
  to: () => address("quarantine/{name}/readmit", { name, upload: id }),
  reason: true,
  done: `${name} is readmitted.`,
  text: "The contract's rules on values are waived for them: every one that can be read as the contract's types becomes part of the next dataset version. What cannot be read so stays in quarantine. Who readmitted them, and why, stays in the audit trail.",
});

/** @type {(upload: Api.Upload) => Page.Action} */
export const discard = ({ name, id }) => ({
  label: "Discard",
  kind: "danger",
  title: `Discard ${name}?`,
  to: () => address("quarantine/{name}/discard", { name, upload: id }),
  reason: true,
  done: `${name} is discarded.`,
  text: "It needs nobody any more. The file itself stays in storage, and the record says who discarded it.",
});

/** @type {(dataset: Api.DatasetVersion) => Page.Action} */
export const trust = ({ id, dataset, version }) => ({
  label: "Trust the rows",
  title: `Trust the rows that came in with ${id}?`,
  to: () => address("datasets/{name}/{version}/trust", { name: dataset, version }),
  reason: true,
  done: `The rows of ${id} are trusted.`,
  text: "You answer for them: the next dataset version says so, and training learns from them. Who trusted them, and why, stays in the record.",
});

/** One of the uploads of a dataset version, by its id, such as upload/may.csv/0x8DD5A. @type {(id: string) => Page.Action} */
export const withdraw = (id) => {
  const name = uploadName(id);
  return {
    label: `Withdraw ${name}`,
    kind: "danger",
    title: `Withdraw ${name}?`,
    to: () => address("uploads/{name}/withdraw", { name, upload: id }),
    reason: true,
    done: `${name} is withdrawn.`,
    text: "The next dataset version lacks its rows, and those readmitted from it. The file itself stays in storage. Who withdrew it, and why, stays in the record.",
  };
};

/** @type {(batch: Api.Batch) => Page.Action} */
export const approveBatch = (batch) => ({
  label: "Score it as it is",
  title: `Score ${batch.name} as it is?`,
  to: () => address("batches/{batch}/approve", { batch: batch.id }),
  reason: true,
  done: `${batch.name} is scored as it is.`,
  text: "It is far from all that its model learned. The other way out is a mended file of the same name, which takes its place.",
});

/** @type {(model: Api.ModelVersion) => Page.Action} */
export const promote = (model) => ({
  label: "Promote",
  title: `Put model ${model.version} behind the endpoint?`,
  to: () => address("models/{name}/{version}/promote", { name: model.dataset, version: model.version }),
  reason: true,
  done: `Model ${model.version} is on its way.`,
  text: `Version ${model.version} is deployed beside the serving model, tested on rows whose answers are known, and then answers in its place. The gate's own verdict is overruled.`,
});

/** @type {(model: Api.ModelVersion) => Page.Action} */
export const approve = (model) => ({
  label: "Approve",
  title: `Let model ${model.version} get traffic?`,
  to: () => address("models/{name}/{version}/approve", { name: model.dataset, version: model.version }),
  reason: true,
  done: `The release of model ${model.version} goes on.`,
  text: `Its release waits: ${model.heldBecause}. It goes on from there. Who approves it, and why, stays in its record; whoever asked for the release cannot.`,
});

/** @type {(model: Api.ModelVersion) => Page.Action} */
export const reject = (model) => ({
  label: "Reject",
  kind: "danger",
  title: `Reject the release of model ${model.version}?`,
  to: () => address("models/{name}/{version}/reject", { name: model.dataset, version: model.version }),
  reason: true,
  done: `The release of model ${model.version} is rejected.`,
  text: "Its deployment is taken down, and the model that answers goes on. Who rejected it, and why, stays in its record.",
});

/** @type {(dataset: string, version: number) => Page.Action} */
export const rollBack = (dataset, version) => ({
  label: "Roll back",
  kind: "danger",
  title: `Roll ${dataset} back?`,
  to: () => address("endpoints/{dataset}/rollback", { dataset }),
  reason: true,
  done: "The model before answers again.",
  text: `Model ${version} stops answering, and the one before it answers again. Where a newer model is watched with a share of the traffic, that one loses its share instead.`,
});

/** @type {() => Page.Action} */
export const pause = () => ({
  label: "Pause",
  kind: "danger",
  title: "Pause everything?",
  to: () => address("pause"),
  reason: true,
  done: "Paused. Files that arrive are taken in; what they would begin waits.",
  text: "No run, batch or release is begun until somebody resumes. Files that arrive are still taken in, nothing is lost, and the endpoint goes on answering.",
});

/** @type {() => Page.Action} */
export const resume = () => ({
  label: "Resume",
  title: "Go on?",
  to: () => address("resume"),
  done: "Going on.",
  text: "What has waited is done now, in its order.",
});

/** @type {(failure: Api.Failure) => Page.Action} */
export const retryFailure = (failure) => ({
  label: "Try again",
  title: "Try the step again?",
  to: () => address("failures/{id}/retry", { id: failure.id }),
  done: "The step is tried again.",
  text: `${failure.about}: ${failure.reason}`,
});
