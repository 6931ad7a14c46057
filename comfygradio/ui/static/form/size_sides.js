// Computes with the sides of pictures. Without the page: usable wherever JavaScript runs.

/** How much a ratio may differ from another, as a share, and still count as the same. */
const TOLERANCE = 0.02;

/** The area of the sizes that are computed where none is typed, in pixels. */
const USUAL_AREA = 512 * 512;

/**
 * The sides that a size may have.
 *
 * @typedef {object} Grid
 * @property {number | null} low
 * @property {number | null} high
 * @property {number} step
 * @property {number} start the sides are this and whole steps more
 */

/**
 * The texts of both sides in the value of a field; "" for one that is not there.
 *
 * @param {string | null | undefined} value
 */
export function splitSize(value) {
  const [width = "", height = ""] = String(value ?? "").split(/[x×]/);
  return { width, height };
}

/**
 * The side next to this number of pixels that a size may have.
 *
 * @param {number} pixels
 * @param {Grid} grid
 */
export function fitSide(pixels, { low, high, step, start }) {
  const steps = Math.round((pixels - start) / step);
  const raised = Math.max(low ?? step, start + steps * step);
  return Math.min(high ?? Infinity, raised);
}

/**
 * The size with this ratio of width to height whose area is about that of another size.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 * @param {Grid} grid
 */
export function reshape(width, height, ratio, grid) {
  const area = width * height || USUAL_AREA;
  return {
    width: fitSide(Math.sqrt(area * ratio), grid),
    height: fitSide(Math.sqrt(area / ratio), grid),
  };
}

/**
 * Whether a size has about this ratio of width to height.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 */
export function hasRatio(width, height, ratio) {
  const current = width / height;
  return Math.abs(ratio - current) < TOLERANCE * current;
}
