/** An operator's actions: confirmed in a dialog, sent once (Idempotency-Key), polled to their end. */

import { idempotencyKey, request } from "../../public/js/api.js";
import { note, say } from "./announce.js";
import { element, h, show } from "./dom.js";
import { mayAct } from "./session.js";
import { isFinal } from "./states.js";

const FOLLOW = 120;

/** @import { Live } from "./live.js" */

/**
 * A button for an action; nothing for a reader.
 * @param {Page.Action} action
 * @param {Live} live
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

/**
 * A dialog to confirm the action, which is then performed.
 * @param {Page.Action} action
 * @param {Live} live
 */
export function confirm(action, live) {
  const dialog = /** @type {HTMLDialogElement} */ (element("confirm"));
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    dialog.close();
    await perform(action, given, live);
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

/** @param {string} label @param {Page.Properties} properties */
const field = (label, properties) =>
  h("label", { class: "field" }, h("span", {}, label), h("input", properties));

/**
 * A reason that was given goes into the body; a file is the body, and its name is in the address.
 * @param {Page.Action} action
 * @param {FormData} given
 * @param {Live} live
 */
async function perform(action, given, live) {
  try {
    const file = given.get("file");
    const answer = await (file instanceof File
      ? send(action.to(file), file, { "Content-Type": "text/csv" })
      : send(action.to(null), action.reason ? { reason: String(given.get("reason")) } : {}));
    say(`${action.label}: requested.`);
    tellEnd(action, answer.operation ? await followed(answer.operation) : null);
  } catch (error) {
    note(`${action.label}: ${/** @type {Page.Trouble} */ (error).message}`, { tone: "bad" });
  }
  live.hurry();
}

/**
 * @param {Api.Address<Api.ActionPath>} url
 * @param {Api.ActionReason | File} body
 * @param {Record<string, string>} [headers]
 */
const send = (url, body, headers = {}) =>
  request(url, { method: "POST", body, headers: { "Idempotency-Key": idempotencyKey(), ...headers } });

/**
 * @param {Page.Action} action
 * @param {Api.Operation | null} end null: it was done at once
 */
function tellEnd(action, end) {
  if (end?.status === "Failed")
    note(`${action.label}: ${end.error?.message ?? "it failed; the events say why."}`, { tone: "bad" });
  else if (!end || end.status === "Succeeded") note(end?.detail ?? action.done);
  else
    note(`${action.label}: it goes on; see the events.`, { link: { href: "#/events", text: "Events" } });
}

/** The operation at its end, or as it is after FOLLOW seconds. @param {string} location */
async function followed(location) {
  const until = Date.now() + 1000 * FOLLOW;
  // Same origin always: behind a proxy the app may not know its own name.
  const url = new URL(location, document.baseURI);
  const here = /** @type {Api.Address<"operations/{id}">} */ (new URL(url.pathname + url.search, document.baseURI));
  let pause = 0.5;
  for (;;) {
    const answer = await request(here);
    const operation = answer.value;
    if (operation && (isFinal(operation.status, "progress") || Date.now() > until)) return operation;
    const wait = 1000 * Math.max(pause, answer.retryAfter ?? 0);
    await new Promise((done) => setTimeout(done, wait));
    pause = Math.min(5, pause * 1.5);
  }
}
