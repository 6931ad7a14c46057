// The wording of what is asked before jobs are deleted. Without the page: usable wherever
// JavaScript runs.

/**
 * Write what is asked, and what is said about it.
 *
 * @param {number} count of the jobs that can be deleted
 * @param {number} openCount of those that are not over yet
 */
export function nameDeletion(count, openCount) {
  const what = count === 1 ? "this result" : `these ${count} results`;
  const files = count === 1 ? "Its files are" : "Their files are";
  const text = `${files} deleted, too. This cannot be undone.`;
  return { title: `Delete ${what}?`, text: text + nameOpen(openCount) };
}

/** @param {number} count */
function nameOpen(count) {
  if (count === 0) return "";
  const verb = count === 1 ? "is" : "are";
  return ` ${count} that ${verb} not over yet will stay.`;
}
