/** Requests to the status API: conditional, with its problems as errors. */

// From this file, not from the page: the sign-in page lies deeper than the dashboard.
const BASE = new URL("../../../api/", import.meta.url);
/** @type {Api.Version} */
export const API_VERSION = "2026-11-29";

/** The API answered, and said no; `detail` is a sentence for people. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Api.Refusal} body
   * @param {number | null} retryAfter seconds
   */
  constructor(status, body, retryAfter) {
    super(body.detail || body.title || `The app answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** Nobody answered. */
export class Unreachable extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("The app does not answer.", { cause });
    this.retryAfter = null;
  }
}

/**
 * Whether the same request may be answered otherwise soon.
 * @param {unknown} error
 * @returns {error is Problem | Unreachable}
 */
export const isPassing = (error) =>
  error instanceof Unreachable || (error instanceof Problem && (error.status === 429 || error.status >= 500));

/**
 * The address of a path of the description, such as "runs/{run}". What is given fills it; the rest becomes the query.
 * A name with slashes in it, such as a file's, stays several parts of the path.
 * @type {<P extends Api.Path>(path: P, ...given: Api.Filled<P>) => Api.Address<P>}
 */
export function address(path, given) {
  const query = new Map(Object.entries(given ?? {}));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const value = String(query.get(name));
    query.delete(name);
    return value.split("/").map(encodeURIComponent).join("/");
  });
  const url = new URL(filled, BASE);
  for (const [name, value] of query) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  url.searchParams.set("api-version", API_VERSION);
  return url;
}

/**
 * One request. A 304 gives `changed: false`.
 * raises: Problem, Unreachable; AbortError when `signal` says so
 * @template {Api.Path} P
 * @template {Api.Method} [M="GET"]
 * @param {Api.Address<P>} url
 * @param {Api.Options<P, M>} [options]
 * @returns {Promise<Api.Answered<Api.Answer<P, M>>>}
 */
export async function request(url, options = {}) {
  const { method = "GET", etag = null, body = null, headers = {}, signal = null } = options;
  // The app takes a change requested with a cookie only from a page that can set a header of its own.
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json", "x-requested-with": "campanha", ...headers };
  if (etag) sent["If-None-Match"] = etag;
  if (body !== null && !sent["Content-Type"]) sent["Content-Type"] = "application/json";
  const given = /** @type {unknown} */ (body);
  const payload = given === null || given instanceof Blob ? given : JSON.stringify(given);
  let answer;
  try {
    // no-store: the browser's own cache would hide the 304 and hand out old answers.
    answer = await fetch(url, {
      method,
      headers: sent,
      body: payload,
      signal,
      cache: "no-store",
      credentials: "same-origin",
    });
  } catch (cause) {
    if (isAborted(cause)) throw cause;
    throw new Unreachable(cause);
  }
  const retryAfter = Number(answer.headers.get("Retry-After")) || null;
  if (answer.status === 304) return { changed: false, etag, retryAfter };
  const value = await parsed(answer);
  if (!answer.ok) throw new Problem(answer.status, value ?? {}, retryAfter);
  const operation = answer.headers.get("Operation-Location");
  return {
    changed: true,
    etag: answer.headers.get("ETag"),
    value,
    retryAfter,
    operation,
    status: answer.status,
  };
}

/** Nobody waits for the answer any more. @param {unknown} error */
export const isAborted = (error) => error instanceof Error && error.name === "AbortError";

/** @param {Response} answer */
async function parsed(answer) {
  try {
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
  } catch (cause) {
    if (answer.ok) throw new Unreachable(cause);
    return null;
  }
}

/** A key no other action has. crypto.randomUUID is missing on plain http beyond this machine. */
export function idempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
