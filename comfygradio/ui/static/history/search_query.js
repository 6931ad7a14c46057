// What the jobs are searched for by. Without the page: usable wherever JavaScript runs.

/**
 * @typedef {object} Query
 * @property {string} text
 * @property {string} preset "" for all
 * @property {boolean} favourites whether only favourites are looked for
 * @property {boolean} singles whether jobs of sweeps are left out
 * @property {boolean} deleted whether the trash is looked through, and nothing else counts
 * @property {Record<string, string>} values field → its value as JSON: large numbers stay exact
 */

/**
 * Whether a query leaves anything out.
 *
 * @param {Query} query
 */
export function isNarrowed({ text, preset, favourites, singles, values }) {
  if (text.trim() || preset || favourites || singles) return true;
  return Object.keys(values).length > 0;
}

/**
 * Write why there is nothing.
 *
 * @param {Query} query
 */
export function explainEmpty(query) {
  if (query.deleted) return "Nothing is here. What you delete can be restored for a day.";
  if (isNarrowed(query)) return "Nothing found. Try other words, or fewer filters.";
  return "Nothing here yet. What you make appears here.";
}
