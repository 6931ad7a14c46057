// Sorts what was read from a file. Without the page: usable wherever JavaScript runs.

/**
 * What was read for a field.
 *
 * @typedef {object} Read
 * @property {string} state "missing" if it could not be read
 * @property {boolean} same whether the form has it already
 */

/**
 * Sort the rows of a report: those that differ, and those that could not be read; and count those
 * that are the same.
 *
 * @template {Read} Row
 * @param {Row[]} rows
 */
export function sortRows(rows) {
  const missing = rows.filter((row) => row.state === "missing");
  const differing = rows.filter((row) => row.state !== "missing" && !row.same);
  const same = rows.filter((row) => row.same).length;
  return { differing, missing, same };
}
