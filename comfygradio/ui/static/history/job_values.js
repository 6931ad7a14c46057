// The values of a job that is open.

/** @import { OpenJob, Value } from "./job.js" */
/** @import { Filter } from "./search_bar.js" */

import { make, press } from "../library/elements.js";

/** Longer texts are shown, but not offered as something to search for. */
const MAX_CHARACTERS = 80;

/**
 * @param {Value[]} values
 * @param {(value: Value) => HTMLElement} draw
 */
function drawRows(values, draw) {
  const rows = values.flatMap((value) => [
    make("dt", { textContent: value.label }),
    make("dd", {}, draw(value)),
  ]);
  return make("dl", { className: "cg-past-values" }, ...rows);
}

/**
 * Draw them.
 *
 * @param {OpenJob} job
 * @param {(name: string, filter: Filter) => void} narrow searches for jobs with the same value
 */
export function drawValues(job, narrow) {
  return drawRows(job.values, (value) => drawValue(value, narrow));
}

/**
 * Draw them to be read alone.
 *
 * @param {Value[]} values
 */
export function drawSettings(values) {
  return drawRows(values, ({ text }) => make("span", { textContent: text || "empty" }));
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
