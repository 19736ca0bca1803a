/** The address after the #: which view, of what, with which choices. */

/**
 * {hash, view, parts, query} of "#/models/bank/7?metric=auc"; names are decoded.
 * @returns {Page.Route}
 */
export function route(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { hash, view: parts[0] ?? "now", parts: parts.slice(1), query: new URLSearchParams(query) };
}

/**
 * The address of a view: to("models", "bank", 7) or to("runs", {state: "failed"}).
 * @param {(string | number | Record<string, string | null | undefined>)[]} named
 */
export function to(...named) {
  const parts = [];
  const query = new URLSearchParams();
  for (const part of named) {
    if (typeof part !== "object") parts.push(encodeURIComponent(part));
    else for (const [name, value] of Object.entries(part)) if (value) query.set(name, value);
  }
  return `#/${parts.join("/")}${query.size > 0 ? `?${query}` : ""}`;
}

/**
 * The name in the id of an upload, of whichever version of the blob, or of those of its rows that were readmitted:
 * upload/NAME/ETAG, readmitted/upload-2/NAME/ETAG. Nothing where there is none.
 * @param {string} id
 */
export const uploadName = (id) => /^(?:readmitted\/)*upload(?:-\d+)?\/(.+)\/[^/]+$/.exec(id)?.[1] ?? "";

/**
 * The page of a file in quarantine: of that upload, though a newer one may have its name.
 * @param {string} name
 * @param {string} upload its id
 */
export const toQuarantined = (name, upload) => to("quarantine", ...name.split("/"), { upload });

/**
 * Where the thing named by kind and id is shown.
 * @param {string} kind
 * @param {string} id
 */
export function toRecord(kind, id) {
  const [name, version] = String(id).split(":");
  if (kind === "model") return to("models", name, version);
  if (kind === "dataset") return to("datasets", name, version);
  if (kind === "run") return to("runs", id);
  if (kind === "batch") return to("batches", id);
  if (kind === "outcome") return to("batches");
  if (kind === "deployment") return to("endpoint");
  if (kind === "alert") return to("alerts", id);
  if (kind === "failure") return to();
  if (kind === "upload" || kind === "quarantine") return ofUpload(kind, id);
  return to("events");
}

/** The page of an upload's file: what lies in quarantine of it, or what became of it. @param {string} kind @param {string} id */
function ofUpload(kind, id) {
  const name = uploadName(id);
  if (!name) return to("files");
  return kind === "quarantine" ? toQuarantined(name, id) : to("trace", ...name.split("/"));
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
