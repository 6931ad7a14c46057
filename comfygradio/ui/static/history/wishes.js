// What a person wished to see last. An answer may come when they have wished for something else, or
// have left: then it opens nothing.

/** Count the wishes. */
export function createWishes() {
  let newest = 0;

  /** Begin a wish; what this gives tells whether it is still the newest one. */
  function begin() {
    newest += 1;
    const mine = newest;
    return () => mine === newest;
  }

  /** Wish for nothing any more. */
  function end() {
    newest += 1;
  }

  return { begin, end };
}

/** @typedef {ReturnType<typeof createWishes>} Wishes */
