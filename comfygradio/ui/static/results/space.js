// The space of a sweep: its axes, and its cells, which are numbered in the order as typed: the last
// axis runs fastest. Without the page: usable wherever JavaScript runs.

/** @typedef {{ title: string, labels: string[] }} Axis */

/**
 * Positions on some of the axes: pairs of the number of an axis and a position on it.
 *
 * @typedef {[number, number][]} Combo
 */

/**
 * Count for each axis how far apart the numbers of two neighbours on it are.
 *
 * @param {Axis[]} axes
 */
export function countStrides(axes) {
  const strides = axes.map(() => 1);
  for (let axis = axes.length - 2; axis >= 0; axis -= 1) {
    strides[axis] = strides[axis + 1] * axes[axis + 1].labels.length;
  }
  return strides;
}

/**
 * Add up what these positions contribute to the number of a cell.
 *
 * @param {Combo} combo
 * @param {number[]} strides
 */
export function addUp(combo, strides) {
  let sum = 0;
  for (const [axis, position] of combo) sum += strides[axis] * position;
  return sum;
}

/**
 * Find the positions of a cell on all axes.
 *
 * @param {number} at the number of the cell
 * @param {Axis[]} axes
 * @returns {Combo}
 */
export function findPositions(at, axes) {
  const strides = countStrides(axes);
  return axes.map(({ labels }, axis) => {
    const position = Math.floor(at / strides[axis]) % labels.length;
    return [axis, position];
  });
}

/**
 * Combine positions on several axes: every one with every other, the last axis runs fastest.
 *
 * @param {number[]} axes the numbers of the axes
 * @param {(axis: number) => number[]} listShown lists the positions of an axis
 * @returns {Combo[]}
 */
export function combine(axes, listShown) {
  /** @type {Combo[]} */
  let combos = [[]];
  for (const axis of axes) {
    const positions = listShown(axis);
    /** @type {Combo[]} */
    const longer = [];
    for (const combo of combos) {
      for (const position of positions) longer.push([...combo, [axis, position]]);
    }
    combos = longer;
  }
  return combos;
}

/**
 * Name these positions for people, with a sign between the title of an axis and its label.
 *
 * @param {Combo} combo
 * @param {Axis[]} axes
 * @param {string} sign
 */
export function nameCombo(combo, axes, sign) {
  const parts = combo.map(([axis, at]) => `${axes[axis].title}${sign}${axes[axis].labels[at]}`);
  return parts.join(", ");
}

/**
 * Name only the labels of these positions.
 *
 * @param {Combo} combo
 * @param {Axis[]} axes
 */
export function nameLabels(combo, axes) {
  const labels = combo.map(([axis, at]) => axes[axis].labels[at]);
  return labels.join(" · ");
}

/**
 * Name the titles of axes.
 *
 * @param {number[]} numbers of the axes
 * @param {Axis[]} axes
 * @param {string} sign stands between two titles
 */
export function nameAxes(numbers, axes, sign) {
  const titles = numbers.map((axis) => axes[axis].title);
  return titles.join(sign);
}
