/** Both APIs side by side, ours and the model's, and a form to try the model. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { words } from "../core/format.js";
import { to } from "../core/router.js";
import { mayAct } from "../core/session.js";
import { head, segments } from "../parts/head.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { describe, tryForm } from "../parts/try.js";

export const title = () => "API";
/** @param {Page.Route} here */
export function feeds({ query }) {
  const dataset = query.get("dataset");
  return {
    ours: resource("openapi.json"),
    model: dataset ? resource("endpoints/{dataset}/swagger", { dataset }) : undefined,
  };
}

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds, redraw }) {
  const served = status.datasets.filter((dataset) => dataset.serving);
  const dataset = here.query.get("dataset");
  if (!dataset && served.length > 0) {
    // The address says which model: so that it can be shared, and the feed requested.
    queueMicrotask(() => {
      location.replace(to("api", { dataset: served[0].dataset }));
    });
  }
  return [
    head({
      title: "API",
      lead: "Everything this page shows and does goes over these two.",
      tools: h(
        "a",
        { class: "button", href: "../api/docs", target: "_blank", rel: "noopener" },
        "Swagger UI",
      ),
    }),
    h(
      "div",
      { class: "stack" },
      served.length > 1 &&
        segments(
          "Which model",
          served.map((each) => [
            each.dataset,
            to("api", { dataset: each.dataset }),
            each.dataset === dataset,
          ]),
        ),
      dataset && feeds.model
        ? panel(
            {
              title: "Try the model",
              name: "try",
              about: mayAct()
                ? "One client's record, in the model's own terms. What is left empty is sent as missing."
                : "Sending needs an operator's key; the fields show what the model takes.",
            },
            fromFeed(feeds.model, (swagger) => tryForm(dataset, swagger, redraw)),
          )
        : panel(
            { title: "Try the model" },
            nothing("No model answers yet", "The first model that is accepted can be tried here."),
          ),
      h(
        "div",
        { class: "pair" },
        panel(
          { title: "The model's API", about: feeds.model && `As ${dataset}'s endpoint describes itself.` },
          dataset && feeds.model
            ? fromFeed(feeds.model, (swagger) => describe(dataset, swagger))
            : nothing("No model answers yet"),
        ),
        panel({ title: "Campanha's API" }, fromFeed(feeds.ours, operations)),
      ),
    ),
  ];
}

/** @param {Api.OpenApi} openapi */
function operations(openapi) {
  const rows = Object.entries(openapi.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs)
      .filter(([verb]) => ["get", "post", "put", "delete"].includes(verb))
      .map(([verb, about]) => ({ verb, path, about })),
  );
  return h(
    "ul",
    { class: "operations", tabindex: "0", "aria-label": "Operations" },
    rows.map(({ verb, path, about }) =>
      h(
        "li",
        {},
        h("span", { class: "verb", "data-verb": verb }, verb.toUpperCase()),
        h("code", {}, path),
        h(
          "span",
          { class: "about" },
          about.description?.split("\n\n")[0] ?? about.summary ?? words(about.operationId ?? ""),
        ),
      ),
    ),
  );
}
