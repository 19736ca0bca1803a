/** A picture that the API draws (SVG), beside the words for who cannot see it. */

import { address } from "../../public/js/api.js";
import { h } from "../core/dom.js";

/**
 * @param {string | URL} source
 * @param {string} says
 */
const picture = (source, says) => h("img", { class: "drawn", src: String(source), alt: says, loading: "lazy" });

/** @param {Api.Upload} upload */
export const uploadDrift = (upload) =>
  upload.driftModelVersion &&
  picture(
    address("uploads/{name}/drift-picture", { name: upload.name, upload: upload.id }),
    moved(upload.columnDrift ?? [], `what model ${upload.driftModelVersion} learned`),
  );

/** @param {Api.Batch} batch */
export const batchDrift = (batch) =>
  (batch.drift || batch.scoreDrift) &&
  picture(
    address("batches/{batch}/drift-picture", { batch: batch.id }),
    moved(batch.drift ?? [], `what model ${batch.modelVersion} learned`),
  );

/** @param {Api.DatasetVersion} dataset */
export const doubtPicture = (dataset) =>
  dataset.doubts &&
  picture(
    address("datasets/{name}/{version}/doubt-picture", { name: dataset.dataset, version: dataset.version }),
    `Why its rows are in doubt: ${dataset.doubtedBecause}`,
  );

/** @param {Api.ListDrift[]} columns @param {string} from */
function moved(columns, from) {
  const far = columns.filter((column) => column.moved).map((column) => column.column);
  return far.length > 0
    ? `Drift from ${from}: ${far.join(", ")} moved.`
    : `Drift from ${from}: no column moved beyond its limit.`;
}
