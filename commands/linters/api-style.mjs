/**
 * The style of our API, as a ruleset of Spectral: what a generator of clients, and a reader who knows other Azure APIs,
 * may count on. Same meaning as the public guidelines for Azure's REST APIs; where they leave a choice, ours is here.
 *
 * A property's rules read the description as written, `$ref`s and all; an operation's see through them. Each rule is
 * broken on purpose in tests/unit/commands/test_api_style.py.
 */

import { oas3_1 } from "@stoplight/spectral-formats";

const CAMEL = /^[a-z][a-z0-9]*([A-Z][a-z0-9]*)*$/;
const PASCAL = /^([A-Z][a-z0-9]*)+$/;

/** The verb an operation's id begins with, by method: one more is one word. A POST may not pose as another method. */
const VERBS = {
  get: /^(list|get|check|download)[A-Z]/,
  head: /^(check|get)[A-Z]/,
  put: /^(create|replace|set)[A-Z]/,
  patch: /^update[A-Z]/,
  delete: /^(delete|end)[A-Z]/,
  post: /^(?!(list|get|update|delete|replace)[A-Z])[a-z]+[A-Z]/,
};
const METHODS = Object.keys(VERBS).join(",");
const FORMATS = {
  string: ["date", "date-time", "duration", "uri", "uri-reference", "uuid", "byte", "binary", "password", "email"],
  integer: ["int32", "int64"],
  number: ["float", "double"],
};
const PROBLEM = ["type", "title", "status", "detail", "code"];
const MERGE = "application/merge-patch+json";

// --- what rules are made of -------------------------------------------------------------------------------------

const say = (message, path) => [path ? { message, path } : { message }];
const isSentence = (text) => /^[^a-z\s].*[.!?]$/s.test(text ?? "");
const own = (object, name) => Boolean(object) && Object.hasOwn(object, name);
const last = (path) => String(path[path.length - 1]);
const json = (response) =>
  Object.entries(response?.content ?? {}).find(([type]) => /json$/.test(type))?.[1].schema;
const typed = (type, found) => (Array.isArray(found) ? found.includes(type) : found === type);
const header = (response, name) =>
  Object.keys(response?.headers ?? {}).some((found) => found.toLowerCase() === name.toLowerCase());
const parameter = (operation, name, place) =>
  (operation.parameters ?? []).find((found) => found.name === name && (!place || found.in === place));
const scalar = (found) => ["string", "integer", "number"].some((type) => typed(type, found.type));

/** A list is what answers a GET with an array named `value`. */
const page = (method, operation) => {
  const of = method === "get" ? json(operation.responses?.["200"])?.properties : undefined;
  return of && own(of, "value") ? of : undefined;
};

/** A rule: `given` says what it reads, `check(value, path)` gives findings, or nothing. */
const rule = (description, given, check, { resolved = true } = {}) => ({
  description,
  message: "{{error}}",
  severity: "error",
  given,
  resolved,
  then: {
    function: (value, _options, { path }) =>
      (check(value, path) ?? []).map((found) => (found.path ? { ...found, path: [...path, ...found.path] } : found)),
  },
});

const DOCUMENT = "$";
const PATHS = "$.paths";
const OPERATION = `$.paths[*][${METHODS}]`;
const PARAMETER = [`$.paths[*][${METHODS}].parameters[*]`, "$.paths[*].parameters[*]"];
const RESPONSE = `$.paths[*][${METHODS}].responses[*]`;
const SCHEMAS = "$.components.schemas[*]";
const PROPERTY = "$.components.schemas..properties[*]";
/** Every schema of answers and bodies, however deep: what has a type, or is put together of others. */
const SHAPE = [SCHEMAS, PROPERTY, "$.components.schemas..items", "$.components.schemas..additionalProperties"];
const asWritten = { resolved: false };

export default {
  formats: [oas3_1],
  rules: {
    // --- the document -----------------------------------------------------------------------------------------
    "version-is-a-date": rule("A version is the day it came out: YYYY-MM-DD, with -preview or without.", "$.info", ({ version }) =>
      /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version) ? undefined : say(`${version} is no date`, ["version"])),
    "about-is-whole": rule("A description tells what the API is for, its licence, and whom to ask.", "$.info", (info) =>
      ["title", "description", "license", "contact"]
        .filter((name) => !info[name])
        .flatMap((name) => say(`it does not tell ${name}`))),
    "server-is-said": rule("There is a server, with a sentence: generators begin with it.", DOCUMENT, ({ servers = [] }) =>
      servers.length && servers.every(({ url, description }) => url && isSentence(description))
        ? undefined
        : say("no server, or one without a sentence")),
    "security-is-said": rule("How callers prove who they are is said once, for all operations.", DOCUMENT, ({ security = [] }) =>
      security.length ? undefined : say("no security for all operations")),
    "tag-has-a-sentence": rule("A tag says what it gathers.", "$.tags[*]", ({ name, description }) =>
      isSentence(description) ? undefined : say(`${name} has no sentence`)),

    // --- paths ------------------------------------------------------------------------------------------------
    "path-is-kebab-case": rule("Words of a path are lower case, joined by hyphens.", PATHS, (paths) =>
      Object.keys(paths)
        .filter((path) => path.split("/").some((word) => word && !/^\{/.test(word) && !/^[a-z][a-z0-9-]*$/.test(word)))
        .flatMap((path) => say(`${path} has a word that is not kebab-case`, [path]))),
    "path-ends-without-slash": rule("No path ends with a slash.", PATHS, (paths) =>
      Object.keys(paths)
        .filter((path) => path !== "/" && path.endsWith("/"))
        .flatMap((path) => say(`${path} ends with a slash`, [path]))),
    "path-parameter-is-bounded": rule("A path's parameter is a text with maxLength, or a number with limits.",
      PARAMETER, (found) => {
        if (found.in !== "path") return undefined;
        const names = found.schema ?? {};
        const bounded = own(names, "maxLength") || own(names, "enum") || own(names, "maximum");
        return bounded ? undefined : say(`${found.name} has no limit: maxLength, maximum or enum`);
      }),

    // --- operations -------------------------------------------------------------------------------------------
    "operation-id-is-verb-and-noun": rule("An operation's id is a verb and a noun, in camelCase.", OPERATION,
      ({ operationId: id }) =>
        CAMEL.test(id ?? "") && /[A-Z]/.test(id) ? undefined : say(`${id} is not verb and noun in camelCase`)),
    "operation-id-fits-method": rule("The verb in an operation's id is one of its method's.", OPERATION,
      ({ operationId: id = "" }, path) =>
        VERBS[last(path)].test(id) || !/[A-Z]/.test(id)
          ? undefined
          : say(`${id} does not begin with a verb of ${last(path).toUpperCase()}`)),
    "list-is-called-list": rule("What answers with a page is called list..., and nothing else is.", OPERATION,
      (operation, path) => {
        const called = /^list/.test(operation.operationId);
        const is = Boolean(page(last(path), operation));
        if (called === is || !operation.responses?.["200"]) return undefined;
        return say(called ? `${operation.operationId} answers with no page` : `${operation.operationId} answers with a page`);
      }),
    "operation-has-a-summary": rule("An operation has a summary, and a sentence on what it does.", OPERATION,
      ({ summary, description }) => (summary && isSentence(description) ? undefined : say("no summary, or no sentence"))),
    "operation-has-one-tag": rule("An operation is in one group, so that it is in one class of a client.", OPERATION,
      ({ tags = [] }) => (tags.length === 1 ? undefined : say(`it has ${tags.length} tags, not one`))),
    "get-and-delete-have-no-body": rule("GET, HEAD and DELETE have no body.", OPERATION, (operation, path) =>
      own(operation, "requestBody") && /^(get|head|delete)$/.test(last(path))
        ? say(`${last(path).toUpperCase()} has a request body`)
        : undefined),
    "request-body-has-a-shape": rule("A request's body has a schema for each media type.", OPERATION,
      ({ requestBody: body }) =>
        body === undefined || (body.content && Object.values(body.content).every((media) => media.schema))
          ? undefined
          : say("its body has no schema")),
    "patch-is-a-merge-patch": rule("PATCH takes a JSON merge patch.", OPERATION, ({ requestBody: body }, path) =>
      last(path) !== "patch" || own(body?.content, MERGE) ? undefined : say(`PATCH without ${MERGE}`)),
    "version-is-asked-for": rule("Each operation takes api-version in the query, required, of one value.", OPERATION,
      (operation) => {
        const version = parameter(operation, "api-version", "query");
        if (!version) return say("it has no api-version");
        return version.required && version.schema?.const ? undefined : say("api-version is not required, or open");
      }),
    "version-is-this-one": rule("The version that is asked for is the one described.", DOCUMENT,
      ({ info, paths }) =>
        Object.entries(paths ?? {}).flatMap(([path, methods]) =>
          Object.entries(methods).flatMap(([method, operation]) => {
            const asked = parameter(operation, "api-version")?.schema?.const;
            return asked && asked !== info?.version
              ? say(`api-version is ${asked}, described is ${info?.version}`, ["paths", path, method])
              : [];
          }))),

    // --- answers ----------------------------------------------------------------------------------------------
    "success-is-described": rule("An operation can succeed, and a success has a schema, or no content at all.", OPERATION,
      ({ responses = {} }) => {
        const good = Object.keys(responses).filter((status) => /^2/.test(status));
        if (!good.length) return say("it has no successful response");
        return good
          .filter((status) => (status === "204") !== !Object.values(responses[status].content ?? {}).length
            || Object.values(responses[status].content ?? {}).some((media) => !media.schema))
          .flatMap((status) => say(`${status} ${status === "204" ? "has a content" : "has no schema"}`, ["responses", status]));
      }),
    "delete-answers-204": rule("DELETE answers 204, or 202 when it takes long.", OPERATION, ({ responses = {} }, path) =>
      last(path) !== "delete" || responses["204"] || responses["202"] ? undefined : say("DELETE without 204 or 202")),
    "put-answers-200-or-201": rule("PUT answers 200, 201, or both.", OPERATION, ({ responses = {} }, path) =>
      last(path) !== "put" || responses["200"] || responses["201"] ? undefined : say("PUT without 200 or 201")),
    "accepted-says-where": rule("202 has Operation-Location and Retry-After.", OPERATION, ({ responses = {} }) =>
      ["Operation-Location", "Retry-After"]
        .filter((name) => responses["202"] && !header(responses["202"], name))
        .flatMap((name) => say(`202 without ${name}`, ["responses", "202"]))),
    "created-says-where": rule("201 has Location.", OPERATION, ({ responses = {} }) =>
      responses["201"] && !header(responses["201"], "Location") ? say("201 without Location", ["responses", "201"]) : undefined),
    "default-answer-is-an-error": rule("Each operation has a default response: the error no status is listed for.", OPERATION,
      ({ responses = {} }) => (own(responses, "default") ? undefined : say("it has no default response"))),
    "error-is-a-problem": rule("An error is application/problem+json, with type, title, status, detail and code.", RESPONSE,
      (response, path) => {
        if (!/^([45]|default)/.test(last(path))) return undefined;
        const { properties = {}, required = [] } = response.content?.["application/problem+json"]?.schema ?? {};
        const missing = PROBLEM.filter((name) => !own(properties, name) || !required.includes(name));
        return missing.length ? say(`it does not say ${missing.join(", ")}`) : undefined;
      }),
    "error-says-its-code": rule("An error has its code in the header x-ms-error-code too.", RESPONSE, (response, path) =>
      !/^([45]|default)/.test(last(path)) || header(response, "x-ms-error-code") ? undefined : say("it has no x-ms-error-code")),
    "busy-says-when": rule("429 and 503 have Retry-After.", RESPONSE, (response, path) =>
      /^(429|503)$/.test(last(path)) && !header(response, "Retry-After") ? say(`${last(path)} without Retry-After`) : undefined),
    "unchanged-has-a-tag": rule("Where 304 is an answer, the request takes If-None-Match and the answer has an ETag.",
      OPERATION, (operation) => {
        if (!operation.responses?.["304"]) return undefined;
        const whole = parameter(operation, "If-None-Match", "header") && header(operation.responses["200"], "ETag");
        return whole ? undefined : say("304 without If-None-Match or ETag");
      }),

    // --- lists ------------------------------------------------------------------------------------------------
    "page-is-value-and-next-link": rule("A page has value, required, of objects with a name; and nextLink, a URI, absent on the last.",
      OPERATION, (operation, path) => {
        if (!page(last(path), operation)) return undefined;
        const { properties: { value, nextLink }, required = [] } = json(operation.responses["200"]);
        if (!typed("array", value.type) || !required.includes("value")) return say("value is not a required array");
        if (!typed("object", value.items?.type)) return say("value is not of objects");
        if (nextLink?.format !== "uri") return say("nextLink is no URI");
        return required.includes("nextLink") ? say("nextLink is required: the last page has none") : undefined;
      }),
    "page-size-is-bounded": rule("A list takes maxpagesize, an integer with both limits and a default.", OPERATION,
      (operation, path) => {
        if (!page(last(path), operation)) return undefined;
        const size = parameter(operation, "maxpagesize", "query")?.schema ?? {};
        return ["minimum", "maximum", "default"].every((name) => own(size, name))
          ? undefined
          : say("it has no maxpagesize with minimum, maximum and default");
      }),

    // --- parameters -------------------------------------------------------------------------------------------
    "parameter-is-camel-case": rule("Parameters of path and query are camelCase, headers Kebab-Case.", PARAMETER, (found) => {
      if (found.name === "api-version") return undefined;
      const fits = found.in === "header" ? /^[A-Z][a-z]*(-[A-Z][a-z]*)*$/ : CAMEL;
      return fits.test(found.name) || found.in === "cookie" ? undefined : say(`${found.name} is in another case`);
    }),
    "parameter-has-a-sentence": rule("A parameter is described by a sentence.", PARAMETER, (found) =>
      isSentence(found.description) ? undefined : say(`${found.name} has no sentence`)),
    "parameter-has-a-type": rule("A parameter has a schema with a type, and never null.", PARAMETER, (found) => {
      const type = found.schema?.type;
      return typeof type === "string" && type !== "null" ? undefined : say(`${found.name} has no one type`);
    }),
    "required-has-no-default": rule("What is required has no default.", PARAMETER, (found) =>
      found.required && own(found.schema, "default") ? say(`${found.name} is required and has a default`) : undefined),

    // --- names of schemas and properties ----------------------------------------------------------------------
    "schema-is-pascal-case": rule("A schema's name is PascalCase.", "$.components.schemas", (schemas) =>
      Object.keys(schemas)
        .filter((name) => !PASCAL.test(name))
        .flatMap((name) => say(`${name} is not PascalCase`, [name])), asWritten),
    "schema-has-a-sentence": rule("A schema is described by a sentence.", SCHEMAS, ({ description }, path) =>
      isSentence(description) ? undefined : say(`${last(path)} has no sentence`), asWritten),
    "property-is-camel-case": rule("A property's name is camelCase, an acronym in it a word like others.", PROPERTY,
      (_found, path) => (CAMEL.test(last(path)) ? undefined : say(`${last(path)} is not camelCase`)), asWritten),
    "property-has-a-sentence": rule("A property is described by a sentence, its own or its schema's.", PROPERTY, (found, path) =>
      isSentence(found.description) || (own(found, "$ref") && !own(found, "description")) ? undefined : say(`${last(path)} has no sentence`), asWritten),
    "property-has-an-example": rule("A property that is a text or a number has an example, or says its values.", PROPERTY,
      (found, path) =>
        !scalar(found) || ["examples", "example", "enum", "const"].some((name) => own(found, name))
          ? undefined
          : say(`${last(path)} has no example`), asWritten),

    // --- types ------------------------------------------------------------------------------------------------
    "nothing-is-untyped": rule("Everything has a type, or is said by a reference.", SHAPE, (found) => {
      if (typeof found !== "object") return found === true ? say("it may be anything") : undefined;
      return ["type", "$ref", "oneOf", "anyOf", "allOf", "const"].some((name) => own(found, name))
        ? undefined
        : say("it has no type");
    }, asWritten),
    "array-has-items": rule("An array says what it holds.", SHAPE, (found) =>
      typed("array", found.type) && !own(found, "items") ? say("an array without items") : undefined, asWritten),
    "no-array-in-an-array": rule("An array holds no arrays: a class of a client would have no names for what is in them.",
      SHAPE, (found) =>
        typed("array", found.type) && typed("array", found.items?.type) ? say("an array of arrays") : undefined, asWritten),
    "nothing-is-null": rule("What is not known is absent, never null.", SHAPE, (found) => {
      const kinds = [found, ...(found.anyOf ?? []), ...(found.oneOf ?? [])];
      return kinds.some((kind) => typed("null", kind.type) || kind.nullable || kind.enum?.includes(null))
        ? say("it may be null")
        : undefined;
    }, asWritten),
    "object-says-what-it-holds": rule("An object has properties, or is a map of one type.", SHAPE, (found) =>
      typed("object", found.type) && !own(found, "properties") && typeof found.additionalProperties !== "object"
        ? say("an object of anything")
        : undefined, asWritten),
    "no-more-beside-properties": rule("additionalProperties is left out beside properties: clients ignore what they do not know.",
      SHAPE, (found) =>
        own(found, "properties") && own(found, "additionalProperties") ? say("additionalProperties beside properties") : undefined,
      asWritten),
    "object-has-a-name": rule("An object in another has a schema of its own, so that a client's class has a name.",
      [PROPERTY, "$.components.schemas..items", "$.components.schemas..additionalProperties"],
      (found) => (own(found, "properties") ? say("an object without a name") : undefined), asWritten),
    "required-is-there": rule("What is required is among the properties.", SHAPE, (found) =>
      (Array.isArray(found.required) ? found.required : [])
        .filter((name) => own(found, "properties") && !own(found.properties, name))
        .flatMap((name) => say(`${name} is required and not there`)), asWritten),
    "format-is-known": rule("A format is one that generators know.", SHAPE, ({ type, format }) =>
      format === undefined || Object.entries(FORMATS).some(([name, known]) => typed(name, type) && known.includes(format))
        ? undefined
        : say(`${format} is no known format of ${type}`), asWritten),
    "number-has-a-format": rule("An integer is an int32 or int64, a number a float or double.", SHAPE, ({ type, format }) =>
      (typed("integer", type) || typed("number", type)) && !format ? say(`${type} without a format`) : undefined, asWritten),
    "integer-has-a-least": rule("An integer says what is the least.", PROPERTY, (found, path) =>
      typed("integer", found.type) && !own(found, "minimum") && !own(found, "enum") ? say(`${last(path)} has no minimum`) : undefined,
      asWritten),
    "values-are-texts": rule("An enum is of texts that are all different, and says so.", SHAPE, (found) => {
      if (!own(found, "enum")) return undefined;
      const texts = found.type === "string" && found.enum.every((value) => typeof value === "string");
      return texts && new Set(found.enum).size === found.enum.length ? undefined : say("an enum not of different texts");
    }, asWritten),

    // --- what names promise -----------------------------------------------------------------------------------
    "time-is-a-date-time": rule("What is called ...At is a date-time.", PROPERTY, (found, path) =>
      /[a-z]At$/.test(last(path)) && found.format !== "date-time" ? say(`${last(path)} is no date-time`) : undefined, asWritten),
    "date-time-is-called-at": rule("A date-time is called ...At; or time as in a CloudEvent, or asOf.", PROPERTY, (found, path) =>
      found.format === "date-time" && !/[a-z]At$|^time$|^asOf$/.test(last(path))
        ? say(`${last(path)} is a date-time and not called ...At`)
        : undefined, asWritten),
    "size-says-its-unit": rule("A duration, size or age has its unit in its name.", PROPERTY, (found, path) =>
      (typed("integer", found.type) || typed("number", found.type)) &&
      /(^|[a-z])(duration|timeout|delay|interval|age|size|latency|elapsed|took)$/i.test(last(path))
        ? say(`${last(path)} does not say its unit: ...Seconds, ...Ms, ...Bytes`)
        : undefined, asWritten),
    "identifier-has-a-pattern": rule("An identifier or a hash says how it is written.", PROPERTY, (found, path) =>
      typed("string", found.type) && /^(id|hash|etag|sha256)$|[a-z](Id|Hash|Etag|Sha256)$/.test(last(path)) &&
      !["pattern", "format", "enum", "const"].some((name) => own(found, name))
        ? say(`${last(path)} has no pattern`)
        : undefined, asWritten),
  },
};
