/** Shows the API's description and, beside it, that of each model that answers now. */

/** @type {Api.Version} */
const VERSION = "2026-11-29";

/** @returns {Promise<string[]>} */
async function served() {
  const answer = await fetch(`/api/status?api-version=${VERSION}`);
  if (!answer.ok) return [];
  const status = /** @type {Api.SystemStatus} */ (await answer.json());
  return status.datasets.filter((dataset) => dataset.serving).map((dataset) => dataset.dataset);
}

const models = (await served()).map((dataset) => ({
  url: `/api/endpoints/${encodeURIComponent(dataset)}/swagger?api-version=${VERSION}`,
  name: `The model of ${dataset}`,
}));

globalThis.SwaggerUIBundle({
  urls: [{ url: "/api/openapi.json", name: "Campanha" }, ...models],
  "urls.primaryName": "Campanha",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  queryConfigEnabled: false,
  presets: [globalThis.SwaggerUIBundle.presets.apis, globalThis.SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
});
