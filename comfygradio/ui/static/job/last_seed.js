// The seed of the last picture, for the button beside a seed.

/** Form → the seed of the picture of it that was shown last. @type {Map<string, string>} */
const seeds = new Map();

/** The seed of the picture that was shown last, of whatever form. */
let newest = "";

/**
 * @param {string} preset
 * @param {string} seed "" if there is none
 */
export function keepLastSeed(preset, seed) {
  if (!seed) return;
  seeds.set(preset, seed);
  newest = seed;
}

/**
 * Read the seed of the last picture of this form, else that of any form; "" if there is none.
 *
 * @param {string} preset
 */
export function readLastSeed(preset) {
  return seeds.get(preset) ?? newest;
}
