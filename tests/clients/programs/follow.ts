// Drop a file, follow it to its model, have clients scored, read the rows. `campanha` is generated from openapi.json.

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { env, argv } from "node:process";
import type { components, paths } from "./campanha.js";

type Schemas = components["schemas"];
type Version = NonNullable<paths["/api/status"]["get"]["parameters"]["query"]>["api-version"];
const VERSION: Version = "2026-11-29";
// With a token of Microsoft Entra: { authorization: `Bearer ${token}` }
const CREDENTIAL = { "x-functions-key": env.CAMPANHA_KEY ?? "" };

// What a proxy answers has no Retry-After.
const PAUSE_SECONDS = 3;
const MOST_TRIES = 100;

/** Asks again after 429 (too many requests) and 503 (not now), when Retry-After says. */
async function ask(link: string, options: RequestInit = {}): Promise<Response> {
  const url = new URL(link, env.CAMPANHA_URL);
  url.searchParams.set("api-version", VERSION);
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, { ...options, headers: { ...CREDENTIAL, ...options.headers } });
    if ((answer.status !== 429 && answer.status !== 503) || tries === MOST_TRIES) return answer;
    const seconds = Number(answer.headers.get("Retry-After")) || PAUSE_SECONDS;
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }
}

/** Asks until nothing more is to come: an answer that may still change has Retry-After. */
async function finished<T>(link: string | undefined): Promise<T> {
  if (!link) throw new Error("there is no such link");
  let tag = '"none"';
  for (;;) {
    const answer = await ask(`${link}${link.includes("?") ? "&" : "?"}wait=5`, { headers: { "If-None-Match": tag } });
    if (answer.status === 304) continue;
    if (!answer.ok) throw new Error(await answer.text());
    tag = answer.headers.get("ETag") ?? tag;
    if (!answer.headers.has("Retry-After")) return (await answer.json()) as T;
  }
}

/** Sends a file, and gives what the operation was about, once it is over. */
async function sent<T>(link: string, file: string): Promise<T> {
  // Sent again with its key, the request does nothing twice.
  const headers = { "Content-Type": "text/csv", "Idempotency-Key": randomUUID() };
  const answer = await ask(link, { method: "POST", headers, body: await readFile(file) });
  if (!answer.ok) throw new Error(await answer.text());
  const operation = await finished<Schemas["Operation"]>(answer.headers.get("Operation-Location") ?? undefined);
  return finished<T>(operation.resourceLocation);
}

const [train, score, one] = argv.slice(2) as [string, string, string];

const upload = await sent<Schemas["Upload"]>(`/api/uploads/${encodeURIComponent(basename(train))}`, train);
const run = await finished<Schemas["Run"]>(upload.links.run);
const model = await finished<Schemas["ModelVersion"]>(upload.links.model);
console.log(`upload ${upload.state}, run ${run.state}, model ${model.state}`);

const asked: Schemas["ScoreRequest"] = { data: [JSON.parse(await readFile(one, "utf8"))] };
const json = { "Content-Type": "application/json" };
const answer = await ask(`/api/endpoints/${model.dataset}/score`, { method: "POST", headers: json, body: JSON.stringify(asked) });
console.log(answer.ok ? "scored" : ((await answer.json()) as Schemas["Problem"]).code);

const batch = await sent<Schemas["Batch"]>(`/api/batches/${encodeURIComponent(basename(score))}`, score);
const rows = await finished<Schemas["ScoredRows"]>(batch.links.rows);
console.log(`batch ${batch.state}, ${batch.rows} rows with ${rows.columns.slice(-4).join(", ")}`);

const refused = await ask(`/api/models/${model.dataset}/999/promote`, { method: "POST" });
console.log(refused.ok ? "not refused" : `refused: ${((await refused.json()) as Schemas["Problem"]).code}`);
