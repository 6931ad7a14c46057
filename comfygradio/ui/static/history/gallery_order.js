// Finds jobs by their order in the gallery. Without the page: usable wherever JavaScript runs.

/**
 * Find the job that is so many places after another one.
 *
 * @param {string[]} tokens of all jobs, in their order
 * @param {string} token
 * @param {number} by how many places; negative for places before it
 * @returns {string | undefined}
 */
export function findNeighbour(tokens, token, by) {
  const at = tokens.indexOf(token);
  if (at < 0) return undefined;
  return tokens[at + by];
}

/**
 * Find the job to open instead of one that is gone: the next one that is left, else the one before.
 *
 * @param {string[]} tokens of all jobs before, in their order
 * @param {string} token
 * @param {Set<string>} gone
 */
export function findSubstitute(tokens, token, gone) {
  const at = tokens.indexOf(token);
  const isLeft = (/** @type {string} */ one) => !gone.has(one);
  const after = tokens.slice(at + 1).find(isLeft);
  return after ?? tokens.slice(0, Math.max(at, 0)).findLast(isLeft);
}
