// The seed of the last picture that has one, for the button beside a seed.

/** Form → the seed of its last picture. @type {Map<string, string>} */
const seeds = new Map();

/** The seed of the last picture of any form. */
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
 * Read the seed of the last picture of this form, else that of the last picture of any form; "" if
 * there is none.
 *
 * @param {string} preset
 */
export function readLastSeed(preset) {
  return seeds.get(preset) ?? newest;
}
