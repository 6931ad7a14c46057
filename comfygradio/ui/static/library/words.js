// Writes numbers and times for people. Without the page: usable wherever JavaScript runs.

/**
 * Write a count with its noun.
 *
 * @param {number} count
 * @param {string} one the noun for one
 * @param {string} many the noun for any other count
 */
export function plural(count, one, many = `${one}s`) {
  const noun = count === 1 ? one : many;
  return `${count.toLocaleString("en-GB")} ${noun}`;
}

/**
 * Write a day and a time of day.
 *
 * @param {number} seconds Unix time
 */
export function nameTime(seconds) {
  const time = new Date(seconds * 1000);
  return time.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/**
 * Write how many settings are the same in two jobs, or in a form and a file; "" for none.
 *
 * @param {number} count
 */
export function nameSame(count) {
  if (count === 0) return "";
  if (count === 1) return "1 setting is the same in both.";
  return `${count} settings are the same in both.`;
}
