/** Requests to the status API: conditional, with its problems as errors. */

// From this file, not from the page: the sign-in page lies deeper than the dashboard.
const BASE = new URL("../../../api/", import.meta.url);
export const API_VERSION = "2026-11-24";

/** The API answered, and said no; `detail` is a sentence for people. */
export class Problem extends Error {
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
  constructor(cause) {
    super("The app does not answer.", { cause });
    this.retryAfter = null;
  }
}

/** The address of `path` (such as "runs/x") with `query` added. */
export function address(path, query = {}) {
  const url = new URL(path.split("/").map(encodeURIComponent).join("/"), BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  url.searchParams.set("api-version", API_VERSION);
  return url;
}

/**
 * One request. A 304 gives `changed: false`.
 * raises: Problem, Unreachable; AbortError when `signal` says so
 */
export async function request(
  url,
  { method = "GET", etag = null, body = null, headers = {}, signal = null } = {},
) {
  // The app takes a change requested with a cookie only from a page that can set a header of its own.
  const sent = { Accept: "application/json", "x-requested-with": "campanha", ...headers };
  if (etag) sent["If-None-Match"] = etag;
  if (body !== null && !sent["Content-Type"]) sent["Content-Type"] = "application/json";
  const payload = body === null || body instanceof Blob ? body : JSON.stringify(body);
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
    if (cause.name === "AbortError") throw cause;
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
