// The wording of what is deleted, restored and deleted for good. Without the page: usable wherever
// JavaScript runs.

import { plural } from "../library/words.js";

const HOUR_SECONDS = 3600;

export const NOT_OVER = "These are not over yet; stop them before deleting them.";

/** What is said at the top of the trash. */
export const ABOUT_TRASH = "What you delete stays here for a day, then its files are removed.";

/**
 * Write what was moved to the trash.
 *
 * @param {number} count
 * @param {number} openCount of jobs that stay, since they are not over yet
 */
export function nameDeleted(count, openCount) {
  const what = count === 1 ? "Deleted." : `${plural(count, "result")} deleted.`;
  if (openCount === 0) return what;
  const verb = openCount === 1 ? "is" : "are";
  return `${what} ${openCount} that ${verb} not over yet stayed.`;
}

/** Write what is asked before one result is deleted for good. */
export function nameDeletion() {
  return {
    title: "Delete this result for good?",
    text: "Its files are removed. This cannot be undone.",
  };
}

/** Write what is asked before everything in the trash is deleted for good. */
export function nameEmptying() {
  return {
    title: "Delete everything here for good?",
    text: "The files of all these results are removed. This cannot be undone.",
  };
}

/**
 * Write how long a result stays in the trash.
 *
 * @param {number} seconds
 */
export function nameStay(seconds) {
  const hours = Math.floor(seconds / HOUR_SECONDS);
  if (hours === 0) return "For less than an hour";
  return `For ${plural(hours, "more hour")}`;
}
