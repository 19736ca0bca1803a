/** An operator's actions: confirmed in a dialog, sent once (Idempotency-Key), polled to their end. */

import { address, request, idempotencyKey } from "../../public/js/api.js";
import { note, say } from "./announce.js";
import { h, show } from "./dom.js";
import { mayAct } from "./session.js";
import { isFinal } from "./states.js";

const FOLLOW = 120;

/**
 * A button for an action; nothing for a reader.
 * action: {label, title, text, path, body?, kind?, reason?: required, file?: required, done: sentence}
 */
export function actionButton(action, live) {
  if (!mayAct()) return null;
  return h(
    "button",
    {
      type: "button",
      class: "button",
      "data-kind": action.kind ?? null,
      on: { click: () => confirm(action, live) },
    },
    action.label,
  );
}

/** A dialog to confirm the action, which is then performed. */
export function confirm(action, live) {
  const dialog = document.getElementById("confirm");
  const submit = async (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    dialog.close();
    await perform(filled(action, given), live);
  };
  dialog.replaceChildren();
  show(
    dialog,
    h("h2", { id: "confirm-title" }, action.title),
    h("p", {}, action.text),
    h(
      "form",
      { method: "dialog", on: { submit } },
      action.file && field("File", { name: "file", type: "file", required: true, accept: ".csv,text/csv" }),
      action.reason &&
        field("Why (for the audit trail)", {
          name: "reason",
          required: true,
          maxlength: 300,
          autocomplete: "off",
        }),
      h(
        "div",
        { class: "tools" },
        h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Cancel"),
        h(
          "button",
          { class: "button", "data-kind": action.kind === "danger" ? "danger" : "main" },
          action.label,
        ),
      ),
    ),
  );
  dialog.showModal();
}

const field = (label, properties) =>
  h("label", { class: "field" }, h("span", {}, label), h("input", properties));

/** The action with what was filled in: a reason goes into its body; a file is its body, and its name ends the path. */
function filled(action, given) {
  const { file, reason } = Object.fromEntries(given);
  if (file) return { ...action, path: `${action.path}/${file.name}`, body: file, type: "text/csv" };
  return reason ? { ...action, body: { ...action.body, reason } } : action;
}

async function perform(action, live) {
  try {
    const headers = { "Idempotency-Key": idempotencyKey() };
    if (action.type) headers["Content-Type"] = action.type;
    const answer = await request(address(action.path, action.query), { method: "POST", body: action.body ?? {}, headers });
    say(`${action.label}: requested.`);
    const end = answer.operation ? await followed(answer.operation) : { status: "Succeeded" };
    tellEnd(action, end);
  } catch (error) {
    note(`${action.label}: ${error.message}`, { tone: "bad" });
  }
  live?.hurry();
}

function tellEnd(action, end) {
  if (end.status === "Failed")
    note(`${action.label}: ${end.error?.message ?? end.error?.detail ?? "it failed; the events say why."}`, {
      tone: "bad",
    });
  else if (end.status === "Succeeded") note(end.detail ?? action.done ?? `${action.label}: done.`);
  else
    note(`${action.label}: it goes on; see the events.`, { link: { href: "#/events", text: "Events" } });
}

/** The operation at its end, or as it is after FOLLOW seconds. */
async function followed(location) {
  const until = Date.now() + 1000 * FOLLOW;
  // Same origin always: behind a proxy the app may not know its own name.
  const url = new URL(location, document.baseURI);
  const here = new URL(url.pathname + url.search, document.baseURI);
  let pause = 0.5;
  for (;;) {
    const answer = await request(here);
    const operation = answer.value;
    if (isFinal(operation.status, "progress") || Date.now() > until)
      return operation;
    await new Promise((done) => {
      setTimeout(done, 1000 * Math.max(pause, answer.retryAfter ?? 0));
    });
    pause = Math.min(5, pause * 1.5);
  }
}
