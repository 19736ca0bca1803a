/** The address after the #: which view, of what, with which choices. */

/** {hash, view, parts, query} of "#/models/bank/7?metric=auc"; names are decoded. */
export function route(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { hash, view: parts[0] ?? "now", parts: parts.slice(1), query: new URLSearchParams(query) };
}

/** The address of a view: to("models", "bank", 7) or to("runs", {state: "failed"}). */
export function to(...parts) {
  const last = parts.at(-1);
  const query = typeof last === "object" && last !== null ? parts.pop() : {};
  const chosen = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  const text = chosen.toString();
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${text ? `?${text}` : ""}`;
}

/** The page of a file in quarantine: of that upload, though a newer one may have its name. */
export const toQuarantined = (name, upload) => to("quarantine", ...name.split("/"), { upload });

/** Where the thing named by kind and id is shown. */
export function toRecord(kind, id, record = {}) {
  const [name, version] = String(id).split(":");
  if (kind === "model") return to("models", name, version);
  if (kind === "dataset") return to("datasets", name, version);
  if (kind === "run") return to("runs", id);
  if (kind === "batch") return to("batches", id);
  if (kind === "upload" && record.name) return to("trace", `incoming/${record.name}`);
  if (kind === "deployment") return to("endpoint");
  return to("events");
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
