/** An operator's actions: confirmed in a dialog, done once (Idempotency-Key), polled to their end. */

import { idempotencyKey, isPassing, request } from "../../public/js/api.js";
import { note, say } from "./announce.js";
import { element, h, show } from "./dom.js";
import { mayAct } from "./session.js";
import { isFinal } from "./states.js";

const SEND = 30;
const FOLLOW = 120;
/** Seconds in which an answer that does not come, or says "later", is asked for again. */

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
  const file = given.get("file");
  const [url, body] =
    file instanceof File
      ? [action.to(file), file]
      : [action.to(null), action.reason ? { reason: String(given.get("reason")) } : {}];
  const headers = {
    "Idempotency-Key": idempotencyKey(), // the same each time: however often it is sent, it is done once
    ...(file instanceof File ? { "Content-Type": "text/csv" } : {}),
  };
  try {
    const answer = await patiently(SEND, () => request(url, { method: "POST", body, headers }));
    say(`${action.label}: requested.`);
    await tellEnd(action, answer.operation);
  } catch (error) {
    note(`${action.label}: ${refusal(error)}`, { tone: "bad", ...(isPassing(error) ? EVENTS : {}) });
  }
  live.hurry();
}

const EVENTS = { link: { href: "#/events", text: "Events" } };

/** @param {unknown} error */
const refusal = (error) =>
  isPassing(error)
    ? `${error.message} It may have been requested all the same: see the events before you do it again.`
    : /** @type {Error} */ (error).message;

/**
 * What `ask` gives, which is called again while nobody answers or the answer is "later".
 * @template T
 * @param {number} seconds
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
async function patiently(seconds, ask) {
  const until = Date.now() + 1000 * seconds;
  for (let pause = 0.5; ; pause = Math.min(5, pause * 1.5)) {
    try {
      return await ask();
    } catch (error) {
      const wait = 1000 * Math.max(pause, (isPassing(error) && error.retryAfter) || 0);
      if (!isPassing(error) || Date.now() + wait > until) throw error;
      await slept(wait);
    }
  }
}

/** @param {number} milliseconds */
const slept = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/**
 * @param {Page.Action} action
 * @param {string | null | undefined} location of the operation; without one it was done at once
 */
async function tellEnd(action, location) {
  const end = location ? await followed(location) : null;
  if (end?.status === "Failed")
    note(`${action.label}: ${end.error?.message ?? "it failed; the events say why."}`, { tone: "bad" });
  else if (!location || end?.status === "Succeeded") note(end?.detail ?? action.done);
  else note(`${action.label}: it was requested; how it ends is in the events.`, EVENTS);
}

/** The operation at its end, or as it is after FOLLOW seconds; null when it cannot be read then. @param {string} location */
async function followed(location) {
  const until = Date.now() + 1000 * FOLLOW;
  // Same origin always: behind a proxy the app may not know its own name.
  const url = new URL(location, document.baseURI);
  const here = /** @type {Api.Address<"operations/{id}">} */ (new URL(url.pathname + url.search, document.baseURI));
  try {
    for (let pause = 0.5; ; pause = Math.min(5, pause * 1.5)) {
      const answer = await patiently((until - Date.now()) / 1000, () => request(here));
      const operation = answer.value;
      if (operation && (isFinal(operation.status, "progress") || Date.now() > until)) return operation;
      await slept(1000 * Math.max(pause, answer.retryAfter ?? 0));
    }
  } catch (error) {
    if (isPassing(error)) return null;
    throw error;
  }
}
