// The results of a sweep, as the page and the exported file show them.

/** @import { Child } from "../library/elements.js" */
/** @import { Host } from "./host.js" */

import { createArrangement } from "./arrangement.js";
import { createGrid } from "./grid.js";
import { createLarge } from "./large.js";

/**
 * Make what shows the results; `arrange` draws them once its parts are in the page.
 *
 * @param {Host} host
 * @param {object} around
 * @param {HTMLDialogElement} around.dialog shows one result in large
 * @param {Child[]} [around.orders] what the bar has behind the choice of cells
 * @param {Child[]} [around.end] what the bar has at its end
 */
export function createResults(host, { dialog, orders = [], end = [] }) {
  const large = createLarge(host, {
    dialog,
    move: (at, down, right) => grid.move(at, down, right),
    closed: (at) => grid.comeBack(at),
  });
  const grid = createGrid(host, large);
  const { parts, arrange } = createArrangement(host, { plot: grid.plot, orders, end });

  /** @param {number[]} changed the numbers of the cells that are not as they were */
  function update(changed) {
    grid.update(changed);
    large.update(changed);
  }

  return {
    parts: [...parts, grid.root],
    arrange,
    update,
    getPlan: grid.getPlan,
    leave: grid.leave,
  };
}
