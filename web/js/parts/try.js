/** A form made from the model endpoint's own schema, the answer, and the same request for a terminal. */

import { address, request } from "../../public/js/api.js";
import { say } from "../core/announce.js";
import { h } from "../core/dom.js";
import { percent } from "../core/format.js";
import { mayAct } from "../core/session.js";
import { gridTable } from "./table.js";

/** @typedef {Record<string, string | number | null>} Client one client, in the model's own terms */
/** @typedef {{ type?: string, enum?: string[] }} FieldSchema */
/** @typedef {{ properties: Record<string, FieldSchema> }} RecordSchema */
/** @typedef {{ properties?: { data?: { items?: RecordSchema } }, example?: { data?: Client[] } }} InputSchema */

/**
 * As much of an endpoint's own description as is read here: Swagger 2, or OpenAPI 3.
 * @typedef {object} Swagger
 * @property {Record<string, object>} paths
 * @property {{ ServiceInput?: InputSchema }} [definitions]
 * @property {{ schemas?: { ServiceInput?: InputSchema } }} [components]
 */

/**
 * What the last try brought, by dataset.
 * @type {Map<string, { sending?: true, answer?: Api.ScoreResponse, error?: Page.Trouble }>}
 */
const tries = new Map();

/** The schema of one record. @param {Swagger} swagger */
function recordSchema(swagger) {
  const input = (swagger.definitions ?? swagger.components?.schemas ?? {}).ServiceInput ?? {};
  return {
    record: input.properties?.data?.items ?? { properties: {} },
    example: input.example?.data?.[0] ?? {},
  };
}

/** @param {string} dataset @param {Swagger} swagger @param {() => void} redraw */
export function tryForm(dataset, swagger, redraw) {
  const { record, example } = recordSchema(swagger);
  const last = tries.get(dataset);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    await send(dataset, filled(/** @type {HTMLFormElement} */ (event.target), record), redraw);
  };
  return h(
    "form",
    { class: "stack", on: { submit }, key: `try-${dataset}` },
    h(
      "div",
      { class: "try" },
      Object.entries(record.properties).map(([name, schema]) => field(name, schema, example[name])),
    ),
    h(
      "div",
      { class: "tools" },
      h(
        "button",
        { class: "button", "data-kind": "main", disabled: !mayAct() || Boolean(last?.sending) },
        last?.sending ? "Scoring …" : "Score the record",
      ),
    ),
    last &&
      h(
        "div",
        { "aria-live": "polite" },
        last.answer && answered(last.answer),
        last.error && h("div", { class: "reason", "data-tone": "bad", role: "alert" }, last.error.message),
      ),
  );
}

/** @param {string} name @param {FieldSchema} schema @param {string | number | null | undefined} example */
function field(name, schema, example) {
  const input = schema.enum
    ? h(
        "select",
        { name },
        h("option", { value: "" }, "(missing)"),
        schema.enum.map((value) => h("option", { value, selected: value === example }, value)),
      )
    : h("input", { name, inputmode: "decimal", value: example ?? "", autocomplete: "off" });
  return h("label", { class: "field" }, h("span", {}, name), input);
}

/**
 * The form's values in the schema's types; empty is missing, and what is no number goes as it is, to be refused with words.
 * @param {HTMLFormElement} form
 * @param {RecordSchema} record
 * @returns {Client}
 */
function filled(form, record) {
  const given = new FormData(form);
  return Object.fromEntries(
    Object.entries(record.properties).map(([name, schema]) => [name, typed(String(given.get(name) ?? ""), schema)]),
  );
}

/** @param {string} text @param {FieldSchema} schema */
function typed(text, schema) {
  if (text === "") return null;
  const value = Number(text);
  return schema.type === "string" || Number.isNaN(value) ? text : value;
}

/** @param {string} dataset @param {Client} record @param {() => void} redraw */
async function send(dataset, record, redraw) {
  tries.set(dataset, { sending: true });
  redraw();
  try {
    const { value } = await request(address("endpoints/{dataset}/score", { dataset }), {
      method: "POST",
      body: { data: [record] },
    });
    tries.set(dataset, { answer: value });
    const [problem] = value?.problem ?? [];
    say(
      problem ??
        `The model says ${value?.decision?.[0]}, with a probability of ${percent(value?.probability?.[0], 1)}.`,
    );
  } catch (error) {
    tries.set(dataset, { error: /** @type {Page.Trouble} */ (error) });
  }
  redraw();
}

/** @param {Api.ScoreResponse} answer */
function answered(answer) {
  const [probability] = answer.probability ?? [];
  const [decision] = answer.decision ?? [];
  const [problem] = answer.problem ?? [];
  if (problem) return h("div", { class: "answer" }, problem);
  return h(
    "div",
    { class: "answer" },
    h(
      "div",
      {},
      h("b", { title: String(probability) }, percent(probability, 1)),
      h("div", { class: "small quiet" }, "the probability"),
    ),
    h(
      "div",
      {},
      h("b", {}, decision === "call" ? "Call" : "Skip"),
      h("div", { class: "small quiet" }, "the decision"),
    ),
    h("div", { class: "small quiet" }, `answered by ${answer.model}, version ${answer.version}`),
  );
}

/**
 * The endpoint as its swagger.json describes it: operations, fields, and a request to copy.
 * @param {string} dataset
 * @param {Swagger} swagger
 */
export function describe(dataset, swagger) {
  const { record, example } = recordSchema(swagger);
  const rows = Object.entries(record.properties).map(([name, schema]) => [
    h("code", {}, name),
    schema.enum ? "text" : schema.type,
    schema.enum?.join(", ") ?? "",
  ]);
  const body = JSON.stringify({ data: [example] });
  return h(
    "div",
    { class: "stack" },
    h(
      "ul",
      { class: "operations" },
      Object.entries(swagger.paths).flatMap(([path, verbs]) =>
        Object.keys(verbs)
          .filter((verb) => ["get", "post"].includes(verb))
          .map((verb) =>
            h(
              "li",
              {},
              h("span", { class: "verb", "data-verb": verb }, verb.toUpperCase()),
              h("code", {}, path),
            ),
          ),
      ),
    ),
    h(
      "details",
      { class: "as-table" },
      h("summary", {}, `${rows.length} fields of a record`),
      gridTable("Fields", [{ title: "Field" }, { title: "Type" }, { title: "Values", wrap: true }], rows),
    ),
    h(
      "details",
      { class: "as-table" },
      h("summary", {}, "The same from a terminal"),
      h(
        "pre",
        { tabindex: "0", "aria-label": "A request with curl" },
        `curl -X POST "${address("endpoints/{dataset}/score", { dataset })}" \\\n  -H "x-functions-key: $CAMPANHA_KEY" -H "Content-Type: application/json" \\\n  -d '${body}'`,
      ),
    ),
    h(
      "details",
      { class: "as-table" },
      h("summary", {}, "swagger.json as it is"),
      h("pre", { tabindex: "0", "aria-label": "swagger.json" }, JSON.stringify(swagger, null, 1)),
    ),
  );
}
