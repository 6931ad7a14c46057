// The values of a job that is open.

/** @import { OpenJob, Value } from "./job.js" */
/** @import { Filter } from "./search_bar.js" */

import { make, press } from "../library/elements.js";

/** Longer texts are shown, but not offered as something to search for. */
const MAX_CHARACTERS = 80;

/**
 * Draw them.
 *
 * @param {OpenJob} job
 * @param {(name: string, filter: Filter) => void} narrow searches for jobs with the same value
 */
export function drawValues(job, narrow) {
  const rows = job.values.flatMap((value) => [
    make("dt", { textContent: value.label }),
    make("dd", {}, drawValue(value, narrow)),
  ]);
  return make("dl", { className: "cg-past-values" }, ...rows);
}

/**
 * @param {Value} value
 * @param {(name: string, filter: Filter) => void} narrow
 */
function drawValue({ name, label, text, filter }, narrow) {
  const shown = text || "empty";
  if (!filter || shown.length > MAX_CHARACTERS) return make("span", { textContent: shown });
  const action = () => narrow(name, { json: filter, text: shown, label });
  return press("cg-past-only", shown, action, { title: "Show only what was made with this" });
}
