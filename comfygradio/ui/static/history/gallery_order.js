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
 * Order jobs as they were before some of them went: those that are back, and those that never went.
 * What has come since stands at the end.
 *
 * @template {{ token: string }} Kind
 * @param {Kind[]} before
 * @param {Kind[]} now
 * @param {Set<string>} back tokens of those that are back
 */
export function orderAgain(before, now, back) {
  const present = new Map(now.map((job) => [job.token, job]));
  const old = new Set(before.map((job) => job.token));
  const kept = before.filter(({ token }) => present.has(token) || back.has(token));
  const ordered = kept.map((job) => present.get(job.token) ?? job);
  return [...ordered, ...now.filter(({ token }) => !old.has(token))];
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
