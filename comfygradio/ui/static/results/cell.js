// The cells of a sweep as they are described. Without the page: usable wherever JavaScript runs.

/**
 * One result of a cell.
 *
 * @typedef {object} Result
 * @property {string} kind "image", "video", "audio", or whatever else the file is
 * @property {string} text what it says, if it is a text
 * @property {string} problem why it is not there
 * @property {string} name the name of its file
 * @property {number} width in pixels; 0 if nobody knows
 * @property {number} height
 * @property {boolean} isThere whether there is something to show
 * @property {any} source whatever else was described, for those who know where its files are
 */

/**
 * @typedef {object} Cell
 * @property {string} phase "waiting", "running", "done", "failed" or "stopped"
 * @property {Result[]} results
 * @property {string} error
 * @property {number} seconds
 * @property {string} server
 * @property {number} rating stars; -1 is a rejected one, 0 none
 */

/** @type {Cell} */
const WAITING = { phase: "waiting", results: [], error: "", seconds: 0, server: "", rating: 0 };

/**
 * Read a cell, whose keys are short and left out where nothing is to be said; null is one that
 * waits.
 *
 * @param {any} described
 * @param {(described: any) => Result} readResult
 * @returns {Cell}
 */
export function readCell(described, readResult) {
  if (!described) return WAITING;
  const results = described.r ?? [];
  return {
    phase: described.p,
    results: results.map(readResult),
    error: described.e ?? "",
    seconds: described.s ?? 0,
    server: described.w ?? "",
    rating: described.k ?? 0,
  };
}

/**
 * Find the result that a cell shows: a picture or a video if it has one.
 *
 * @param {Cell} cell
 */
export function findMain(cell) {
  const shown = cell.results.filter((result) => result.isThere);
  return shown.find(({ kind }) => kind === "image" || kind === "video") ?? shown[0];
}

/**
 * Find out why a cell that is done has nothing to show.
 *
 * @param {Cell} cell
 */
export function explainNothing(cell) {
  const problems = cell.results.map((result) => result.problem);
  return problems.find((problem) => problem !== "") ?? "Nothing was made.";
}
