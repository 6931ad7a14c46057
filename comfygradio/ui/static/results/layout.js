// How results are laid out: which axes are rows, columns and pages, and what is shown. Without the
// page: usable wherever JavaScript runs.

/** @import { Cell } from "./cell.js" */
/** @import { Axis } from "./space.js" */

import { isListOf, isRecord } from "../library/checks.js";

/**
 * @typedef {object} Layout
 * @property {number[]} rows the numbers of the axes, the outermost first
 * @property {number[]} columns
 * @property {number[]} pages
 * @property {Record<number, number>} at axis of pages → the position that is shown
 * @property {Record<number, number[]>} hidden axis → positions that are not shown
 * @property {string} show which cells are shown: one of `SHOWS`
 * @property {string} [sort] "grid", which is meant where it is missing, or an order of all cells
 */

/** @typedef {"rows" | "columns" | "pages"} Place */

/** @type {[Place, string][]} */
export const PLACES = [
  ["rows", "Rows"],
  ["columns", "Columns"],
  ["pages", "Pages"],
];

/** @type {[string, string][]} */
export const SHOWS = [
  ["all", "Everything"],
  ["done", "Finished"],
  ["failed", "Failed"],
  ["kept", "Not rejected"],
  ["1", "★ and more"],
  ["2", "★★ and more"],
  ["3", "★★★ and more"],
  ["4", "★★★★ and more"],
  ["5", "★★★★★"],
];

/**
 * Whether a layout that was kept has each of the axes in one place.
 *
 * @param {any} layout
 * @param {number} count how many axes there are
 */
function hasAllAxes(layout, count) {
  const placed = [...layout.rows, ...layout.columns, ...layout.pages];
  if (placed.length !== count) return false;
  return new Set(placed).size === count && placed.every((axis) => axis >= 0 && axis < count);
}

/**
 * Read a layout that was kept; null if it is none, or one of other axes.
 *
 * @param {unknown} kept
 * @param {Axis[]} axes
 * @returns {Layout | null}
 */
export function readKeptLayout(kept, axes) {
  if (!isRecord(kept)) return null;
  const { rows, columns, pages, at, hidden, show, sort } = kept;
  const hasPlaces = [rows, columns, pages].every((place) => isListOf(place, Number.isInteger));
  if (!hasPlaces || !hasAllAxes({ rows, columns, pages }, axes.length)) return null;
  /** @type {Layout} */
  const layout = {
    rows,
    columns,
    pages,
    at: isRecord(at) ? at : {},
    hidden: readHidden(hidden, axes),
    show: SHOWS.some(([name]) => name === show) ? show : "all",
  };
  if (typeof sort === "string") layout.sort = sort;
  return layout;
}

/**
 * Read which positions are hidden; of no axis all of them are.
 *
 * @param {unknown} kept
 * @param {Axis[]} axes
 */
function readHidden(kept, axes) {
  /** @type {Layout["hidden"]} */
  const hidden = {};
  if (!isRecord(kept)) return hidden;
  for (const [axis, { labels }] of axes.entries()) {
    const positions = kept[axis];
    if (!isListOf(positions, Number.isInteger)) continue;
    const isSomeShown = labels.some((_, position) => !positions.includes(position));
    if (isSomeShown) hidden[axis] = positions;
  }
  return hidden;
}

/**
 * List the positions of an axis that are shown.
 *
 * @param {number} axis
 * @param {Axis[]} axes
 * @param {Layout} layout
 */
export function listShown(axis, axes, layout) {
  const hidden = layout.hidden[axis] ?? [];
  const positions = axes[axis].labels.map((_, position) => position);
  return positions.filter((position) => !hidden.includes(position));
}

/**
 * Whether a cell is among those that are to be shown.
 *
 * @param {Cell} cell
 * @param {string} show
 */
export function isWanted(cell, show) {
  if (show === "all") return true;
  if (show === "done" || show === "failed") return cell.phase === show;
  const least = show === "kept" ? 0 : Number(show);
  return cell.rating >= least;
}

/**
 * Find where an axis is.
 *
 * @param {number} axis
 * @param {Layout} layout
 */
export function findPlaceOfAxis(axis, layout) {
  const found = PLACES.find(([place]) => layout[place].includes(axis));
  return found ? found[0] : "pages";
}

/**
 * Put an axis into another place, where axes stand in the order of their numbers.
 *
 * @param {number} axis
 * @param {Place} to
 * @param {Layout} layout
 */
export function moveAxis(axis, to, layout) {
  for (const [place] of PLACES) layout[place] = layout[place].filter((other) => other !== axis);
  layout[to] = [...layout[to], axis].sort((one, two) => one - two);
}

/**
 * Hide a position of an axis, or show it again; the last one that is shown stays.
 *
 * @param {number} axis
 * @param {number} position
 * @param {Axis[]} axes
 * @param {Layout} layout
 */
export function togglePosition(axis, position, axes, layout) {
  const hidden = layout.hidden[axis] ?? [];
  if (hidden.includes(position)) {
    layout.hidden[axis] = hidden.filter((other) => other !== position);
  } else if (listShown(axis, axes, layout).length > 1) {
    layout.hidden[axis] = [...hidden, position];
  }
}

/**
 * Go to a page that is shown where the one that was open is hidden.
 *
 * @param {Axis[]} axes
 * @param {Layout} layout
 */
export function openShownPages(axes, layout) {
  for (const axis of layout.pages) {
    const shown = listShown(axis, axes, layout);
    if (!shown.includes(layout.at[axis])) layout.at[axis] = shown[0] ?? 0;
  }
}
