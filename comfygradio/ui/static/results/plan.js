// Where everything stands in the grid of results. Without the page: usable wherever JavaScript runs.

/** @import { Cell } from "./cell.js" */
/** @import { Layout } from "./layout.js" */
/** @import { Axis, Combo } from "./space.js" */

import { isWanted, listShown } from "./layout.js";
import { addUp, combine, countStrides, findPositions, nameAxes } from "./space.js";

/** All lengths are in pixels. */
export const GAP = 8;
export const SIDE = 156;
const NARROW = 640;
const BAND = 30;
const CAPTION = 46;

/**
 * Cells in rows and columns, or in lines.
 *
 * @typedef {object} Arranged
 * @property {number[][]} lines the numbers of the cells
 * @property {Combo[]} rows
 * @property {Combo[]} columns
 * @property {number[]} named the axes that the captions of cells name
 * @property {number} count the columns
 * @property {number} cellWidth
 * @property {number} top the height of what names the columns
 * @property {number} side the width of what names the rows
 * @property {number} band the height of what names a row above it
 * @property {number} below the height of what names a cell below it
 */

/**
 * What the grid needs to know besides.
 *
 * @typedef {object} Measured
 * @property {boolean} flows whether the cells follow each other in lines, instead of standing in
 *   rows and columns
 * @property {boolean} isNarrow whether the labels of rows have no room at their side
 * @property {Map<number, [number, number]>} places number of a cell → its line and column
 * @property {number} width of the grid as it is seen
 * @property {number} cellHeight
 * @property {number} columnWidth
 * @property {number} rowHeight
 */

/** @typedef {Arranged & Measured} Plan */

/**
 * What a plan is made of.
 *
 * @typedef {object} Planned
 * @property {Axis[]} axes
 * @property {Layout} layout
 * @property {(at: number) => Cell} getCell
 * @property {number} width of the grid as it is seen
 * @property {number} size the width of the cells that is wished
 * @property {number} ratio of width and height of the cells
 */

/**
 * Plan the grid.
 *
 * @param {Planned} planned
 * @returns {Plan}
 */
export function makePlan(planned) {
  const { layout, width, ratio } = planned;
  const isNarrow = width < NARROW;
  const isSorted = (layout.sort ?? "grid") !== "grid";
  const flows = isSorted || layout.rows.length === 0 || layout.columns.length === 0;
  const arranged = flows ? planLines(planned, isSorted) : planTable(planned, isNarrow);
  const { lines, cellWidth, band, below } = arranged;
  const cellHeight = Math.round(cellWidth / ratio);
  return {
    ...arranged,
    flows,
    isNarrow,
    width,
    cellHeight,
    places: findPlaces(lines),
    columnWidth: cellWidth + GAP,
    rowHeight: band + cellHeight + below + GAP,
  };
}

/** @param {number[][]} lines */
function findPlaces(lines) {
  /** @type {Plan["places"]} */
  const places = new Map();
  lines.forEach((line, row) => {
    line.forEach((at, column) => {
      places.set(at, [row, column]);
    });
  });
  return places;
}

/**
 * Plan cells in rows and columns.
 *
 * @param {Planned} planned
 * @param {boolean} isNarrow
 * @returns {Arranged}
 */
function planTable({ axes, layout, getCell, width, size }, isNarrow) {
  const list = (/** @type {number} */ axis) => listShown(axis, axes, layout);
  const strides = countStrides(axes);
  const base = addUp(listPage(layout), strides);
  let rows = combine(layout.rows, list);
  let columns = combine(layout.columns, list);
  if (layout.show !== "all") {
    // Rows and columns without anything that is wanted are left out.
    const allRows = rows;
    const allColumns = columns;
    /** @type {(row: Combo, column: Combo) => boolean} */
    const isSeen = (row, column) => {
      const at = base + addUp(row, strides) + addUp(column, strides);
      return isWanted(getCell(at), layout.show);
    };
    rows = allRows.filter((row) => allColumns.some((column) => isSeen(row, column)));
    columns = allColumns.filter((column) => allRows.some((row) => isSeen(row, column)));
  }
  const sums = columns.map((column) => addUp(column, strides));
  const lines = rows.map((row) => {
    const first = base + addUp(row, strides);
    return sums.map((sum) => first + sum);
  });
  const cellWidth = Math.min(size, width - 2);
  return {
    lines,
    rows,
    columns,
    named: [],
    count: columns.length,
    cellWidth,
    top: measureHeads({ axes, layout, columns, cellWidth, isNarrow }),
    side: isNarrow ? 0 : SIDE,
    band: isNarrow ? BAND : 0,
    below: 0,
  };
}

/**
 * Plan cells that follow each other in lines, which fill the width.
 *
 * @param {Planned} planned
 * @param {boolean} isSorted
 * @returns {Arranged}
 */
function planLines(planned, isSorted) {
  const { axes, layout, getCell, width, size } = planned;
  const all = isSorted ? listSorted(planned) : listInOrder(axes, layout);
  const wanted = all.filter((at) => isWanted(getCell(at), layout.show));
  const wished = Math.min(size, width - 2);
  const count = Math.max(1, Math.floor((width + GAP) / (wished + GAP)));
  const full = Math.floor((width + GAP) / count) - GAP;
  const lines = [];
  for (let from = 0; from < wanted.length; from += count) {
    lines.push(wanted.slice(from, from + count));
  }
  return {
    lines,
    rows: [],
    columns: [],
    named: isSorted ? axes.map((_, axis) => axis) : [...layout.rows, ...layout.columns],
    count,
    cellWidth: count < all.length ? full : wished,
    top: 0,
    side: 0,
    band: 0,
    below: CAPTION,
  };
}

/**
 * List the cells of the page that is open, in the order of its axes.
 *
 * @param {Axis[]} axes
 * @param {Layout} layout
 */
function listInOrder(axes, layout) {
  const strides = countStrides(axes);
  const base = addUp(listPage(layout), strides);
  const list = (/** @type {number} */ axis) => listShown(axis, axes, layout);
  const combos = combine([...layout.rows, ...layout.columns], list);
  return combos.map((combo) => base + addUp(combo, strides));
}

/**
 * List the cells of all pages in the order that the layout asks for: the best first without those
 * that were not made, the fastest or the slowest first without those that took no time.
 *
 * @param {Planned} planned
 */
function listSorted({ axes, layout, getCell }) {
  const shown = axes.map((_, axis) => new Set(listShown(axis, axes, layout)));
  const count = axes.reduce((product, axis) => product * axis.labels.length, 1);
  const numbers = Array.from({ length: count }, (_, at) => at);
  const all = numbers.filter((at) => {
    return findPositions(at, axes).every(([axis, position]) => shown[axis].has(position));
  });
  if (layout.sort === "best") {
    const made = all.filter((at) => getCell(at).phase !== "waiting");
    return made.sort((one, two) => getCell(two).rating - getCell(one).rating || one - two);
  }
  const sign = layout.sort === "fast" ? 1 : -1;
  const timed = all.filter((at) => getCell(at).seconds > 0);
  return timed.sort((one, two) => {
    return sign * (getCell(one).seconds - getCell(two).seconds) || one - two;
  });
}

/**
 * List the positions of the page that is open.
 *
 * @param {Layout} layout
 * @returns {Combo}
 */
function listPage(layout) {
  return layout.pages.map((axis) => [axis, layout.at[axis]]);
}

/**
 * Measure the room for the longest name of a column, at most three lines for each axis, and beside
 * it for the names of the axes.
 *
 * @param {object} heads
 * @param {Axis[]} heads.axes
 * @param {Layout} heads.layout
 * @param {Combo[]} heads.columns
 * @param {number} heads.cellWidth
 * @param {boolean} heads.isNarrow
 */
function measureHeads({ axes, layout, columns, cellWidth, isNarrow }) {
  const letters = Math.max(6, cellWidth / (isNarrow ? 8.6 : 7.8));
  let lines = 1;
  for (const combo of columns) {
    let own = 0;
    for (const [axis, at] of combo) {
      own += Math.min(3, Math.ceil(axes[axis].labels[at].length / letters));
    }
    lines = Math.max(lines, own);
  }
  if (isNarrow) return lines * 18 + 36;
  let corner = 0;
  for (const numbers of [layout.rows, layout.columns]) {
    const name = nameAxes(numbers, axes, " / ");
    corner += Math.min(2, Math.ceil(name.length / 20));
  }
  return Math.max(lines * 18 + 14, corner * 17 + 16);
}

/**
 * Find the cell beside this one; null at the edge. Lines go on in the next one.
 *
 * @param {Plan} plan
 * @param {number} at
 * @param {number} down
 * @param {number} right
 */
export function findNeighbour(plan, at, down, right) {
  const place = plan.places.get(at);
  if (!place) return null;
  const [row, column] = place;
  if (!plan.flows || down !== 0) return plan.lines[row + down]?.[column + right] ?? null;
  const next = row * plan.count + column + right;
  return plan.lines[Math.floor(next / plan.count)]?.[next % plan.count] ?? null;
}

/**
 * Find what is in sight of many things of one size.
 *
 * @param {number} from the beginning of what is seen
 * @param {number} length of what is seen
 * @param {number} size of each thing
 * @param {number} count of the things
 * @param {number} beyond how far beyond what is seen counts too
 * @returns {[number, number]} the first that is in sight, and the first behind it that is not
 */
export function findInSight(from, length, size, count, beyond) {
  const first = Math.floor((from - beyond) / size);
  const end = Math.ceil((from + length + beyond) / size);
  return [Math.max(0, first), Math.min(count, end)];
}
