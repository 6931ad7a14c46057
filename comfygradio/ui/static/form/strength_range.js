// Between which strengths a slider moves.

/** What people use; servers take from -100 to 100, which no finger could set. */
const USUAL = [0, 2];

/**
 * Choose the ends of a slider: the usual ones, farther for a value beyond them, within the limits.
 *
 * @param {number} value
 * @param {number | null} low
 * @param {number | null} high
 * @returns {[number, number]}
 */
export function chooseRange(value, low, high) {
  const least = Math.max(Math.min(USUAL[0], Math.floor(value)), low ?? -Infinity);
  const most = Math.min(Math.max(USUAL[1], Math.ceil(value)), high ?? Infinity);
  return [least, Math.max(least, most)];
}
