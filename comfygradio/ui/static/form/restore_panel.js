// Shows what was read from a picture, video or sound, with boxes to tick.

/** @import { Part } from "../library/part.js" */

import { drawAlert, list, make, press, say } from "../library/elements.js";
import { nameSame } from "../library/words.js";
import { sortRows } from "./report_rows.js";

/**
 * A setting in a file, beside that in the form.
 *
 * @typedef {object} Row
 * @property {string} name of its field
 * @property {string} label
 * @property {string} state "missing" if it could not be read
 * @property {string} note
 * @property {string} then the setting in the file
 * @property {string} now the setting in the form
 * @property {boolean} same whether both are the same
 */

/**
 * What was read from a file.
 *
 * @typedef {object} Report
 * @property {string} [error]
 * @property {string} [preset] the form that the settings are for; the rest is there only with it
 * @property {string} reason why it is this form
 * @property {Row[]} rows
 * @property {string[]} [notes]
 * @property {string} secret the name that the app has for all this
 */

/** @param {Row} row */
function drawRow(row) {
  const box = make("input", { type: "checkbox", checked: true, value: row.name });
  box.setAttribute("aria-label", `Take over ${row.label}`);
  const then = make("td", {}, make("span", { textContent: row.then }));
  if (row.note) then.append(make("small", { textContent: row.note }));
  return make(
    "tr",
    {},
    make("td", {}, box),
    make("th", { scope: "row", textContent: row.label }),
    make("td", { textContent: row.now }),
    then,
  );
}

/** @param {Row[]} rows */
function drawTable(rows) {
  const titles = ["Setting", "In the form", "In the file"].map((text) => {
    return make("th", { scope: "col", textContent: text });
  });
  const head = make("tr", {}, make("td"), ...titles);
  const body = make("tbody", {}, ...rows.map(drawRow));
  return make("table", {}, make("thead", {}, head), body);
}

/**
 * @param {string} title
 * @param {string[]} texts
 */
function drawNotes(title, texts) {
  const heading = make("b", { textContent: title });
  return make("div", { className: "cg-report-notes" }, heading, list(texts));
}

/** @param {Part} part */
export function mount({ element, props, trigger, watch }) {
  const root = /** @type {HTMLElement} */ (element.querySelector(".cg-report"));

  function listTicked() {
    /** @type {NodeListOf<HTMLInputElement>} */
    const boxes = root.querySelectorAll("tbody input:checked");
    return [...boxes].map((box) => box.value);
  }

  /** @param {Report} report */
  function drawReport({ reason, rows, notes = [], secret }) {
    const { differing, missing, same } = sortRows(rows);
    const unread = missing.map((row) => `${row.label}: ${row.note}`);
    const action = differing.length ? "Use the ticked settings" : "Show this form";
    const take = press("cg-take", action, () => trigger("take", { secret, fields: listTicked() }));
    const parts = [make("p", { textContent: reason })];
    if (differing.length) parts.push(drawTable(differing));
    if (same) parts.push(say("cg-info", nameSame(same)));
    if (unread.length) parts.push(drawNotes("Could not be read:", unread));
    if (notes.length) parts.push(drawNotes("Worth knowing:", notes));
    return [...parts, take];
  }

  function paint() {
    const report = props.value ?? {};
    const notes = report.notes ?? [];
    root.replaceChildren();
    if (report.error) root.append(drawAlert(report.error));
    if (report.preset) root.append(...drawReport(report));
    else if (notes.length) root.append(drawNotes("Also:", notes));
  }

  watch("value", paint);
  paint();
}
