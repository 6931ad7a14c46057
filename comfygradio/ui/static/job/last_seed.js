// The seed of the picture that was made last, for the button beside a seed.

let seed = "";

/** @param {string} text */
export function keepLastSeed(text) {
  seed = text;
}

/** Read it; "" if there is none. */
export function readLastSeed() {
  return seed;
}
