// How the page shows the results of a sweep: where their files are, its words, and what is kept of
// the layout.

/** @import { Cell, Result } from "../results/cell.js" */
/** @import { Live, Media } from "../results/host.js" */
/** @import { Layout } from "../results/layout.js" */
/** @import { Axis } from "../results/space.js" */

import { link } from "../library/address.js";
import * as storage from "../library/storage.js";
import { explainNothing } from "../results/cell.js";
import { readKeptLayout } from "../results/layout.js";

const LAYOUTS = "comfygradio.layouts";
const MAX_LAYOUTS = 30;
const SIZE = "comfygradio.cell";
const PHONE = 640;
const MIN_RATIO = 0.42;
const MAX_RATIO = 2.4;

/**
 * A sweep as the app describes it.
 *
 * @typedef {object} Sweep
 * @property {string} token
 * @property {string} version
 * @property {string} title
 * @property {string} form
 * @property {number} created
 * @property {string} phase
 * @property {{ waiting: number, running: number, done: number, failed: number, stopped: number }}
 *   counts
 * @property {number} total
 * @property {string} line
 * @property {string} rest
 * @property {string} [trouble]
 * @property {Record<number, Live>} live
 * @property {Axis[]} axes
 * @property {any[]} cells
 * @property {{ rows: number[], columns: number[], pages: number[] }} layout
 * @property {string} root the beginning of the addresses of files
 * @property {boolean} canUse
 * @property {{ address: string, pixels: number }} thumbs
 * @property {[number, number] | null} size of the pictures, as the form says it
 */

/**
 * Read a result of a cell.
 *
 * @param {any} described
 * @returns {Result}
 */
export function readResult(described) {
  return {
    kind: described.n,
    text: described.t ?? "",
    problem: described.x ?? "",
    name: decodeURIComponent(described.u?.split("/").pop() ?? ""),
    width: described.w ?? 0,
    height: described.h ?? 0,
    isThere: Boolean(described.u || described.t),
    source: described,
  };
}

/**
 * Find the files of a sweep's results.
 *
 * @param {Sweep} sweep
 * @returns {Media}
 */
export function createMedia({ root, thumbs }) {
  /** @param {string | undefined} path */
  function find(path) {
    return path ? link(root + path) : "";
  }

  return {
    findFile: ({ source }) => find(source.u),
    findLarge: ({ source }) => find(source.d || source.u),
    findSmall: ({ source }, pixels) => {
      // A thumbnail, unless the cell is large.
      if (source.m && pixels <= thumbs.pixels * 1.3) {
        return link(thumbs.address + encodeURI(source.m));
      }
      return find(source.d || source.u);
    },
    findPoster: () => "",
    mend: () => {},
  };
}

/**
 * Find the ratio of width and height that the cells have: that of the first picture that is there.
 *
 * @param {Sweep} sweep
 */
export function findRatio({ cells, size }) {
  let [width, height] = size ?? [1, 1];
  for (const cell of cells) {
    const sized = cell?.r?.find((/** @type {any} */ result) => result.w);
    if (!sized) continue;
    width = sized.w;
    height = sized.h;
    break;
  }
  return Math.min(MAX_RATIO, Math.max(MIN_RATIO, width / height));
}

/**
 * Say why a cell has nothing to show in large.
 *
 * @param {Cell} cell
 * @param {string} phase of the sweep
 */
export function explain(cell, phase) {
  switch (cell.phase) {
    case "failed":
      return cell.error || "It failed.";
    case "waiting":
      if (phase !== "stopped") return "Waiting for its turn.";
      return "Not made, since this comparison was stopped; Resume goes on with it.";
    case "running":
      return "Being made …";
    case "stopped":
      return "Stopped before anything was made.";
    default:
      return explainNothing(cell);
  }
}

/**
 * Read the width of the cells that is wished.
 *
 * @returns {number}
 */
export function readSize() {
  const kept = storage.read("all", SIZE, 0);
  if (Number.isFinite(kept) && kept > 0) return kept;
  return innerWidth < PHONE ? 170 : 190;
}

/** @param {number} size */
export function keepSize(size) {
  storage.keep("all", SIZE, size);
}

/**
 * Read how a sweep was laid out last; as the app proposes if it never was.
 *
 * @param {Sweep} sweep
 * @returns {Layout}
 */
export function readLayout({ token, axes, layout }) {
  const known = readKeptLayout(storage.readRecord("all", LAYOUTS)[token], axes);
  if (known) return known;
  const { rows, columns, pages } = layout;
  return { rows, columns, pages, at: {}, hidden: {}, show: "all" };
}

/**
 * Keep how a sweep is laid out, and forget the oldest layouts of others.
 *
 * @param {string} token
 * @param {Layout} layout
 */
export function keepLayout(token, layout) {
  const known = Object.entries(storage.readRecord("all", LAYOUTS));
  const others = known.filter(([other]) => other !== token).slice(1 - MAX_LAYOUTS);
  storage.keep("all", LAYOUTS, Object.fromEntries([...others, [token, layout]]));
}
