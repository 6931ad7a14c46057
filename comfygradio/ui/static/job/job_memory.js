// What a tab remembers of its jobs, so that a reload finds them, and the browser for tabs that are
// new. Where storage is off, a tab that comes back finds nothing.

/** @import { Where } from "../library/storage.js" */
/** @import { JobBrief } from "./job_message.js" */

import { isOver } from "../library/phases.js";
import * as storage from "../library/storage.js";

const SHOWN = "comfygradio.job";
const BATCH = "comfygradio.batch";
const ALL = "comfygradio.jobs";

/** How many jobs the browser remembers for new tabs. */
const MOST_TOKENS = 20;

/**
 * @param {Where} where
 * @param {string} key
 * @returns {string[]}
 */
function readTokens(where, key) {
  const tokens = storage.read(where, key, []);
  if (!Array.isArray(tokens)) return [];
  return tokens.filter((token) => typeof token === "string");
}

/** Read which job this tab showed; for a new tab the newest of this browser; "" if none. */
export function readShown() {
  const shown = storage.read("tab", SHOWN, "") || readTokens("all", ALL).at(-1) || "";
  return typeof shown === "string" ? shown : "";
}

/** Read the jobs of this tab; for a new tab those that no tab of this browser saw to their end. */
export function readBatch() {
  const own = readTokens("tab", BATCH);
  return own.length > 0 ? own : readTokens("all", ALL);
}

/**
 * Remember the jobs of this tab, and which of them it shows.
 *
 * @param {string} shown
 * @param {JobBrief[]} jobs
 */
export function remember(shown, jobs) {
  const tokens = jobs.map((job) => job.token);
  storage.keep("tab", SHOWN, shown);
  storage.keep("tab", BATCH, tokens);
  const others = readTokens("all", ALL).filter((token) => !tokens.includes(token));
  const open = jobs.filter((job) => !isOver(job)).map((job) => job.token);
  storage.keep("all", ALL, [...others, ...open].slice(-MOST_TOKENS));
}

/**
 * Forget the jobs of this tab; the app does not know this one any more.
 *
 * @param {string} token
 */
export function forget(token) {
  const others = readTokens("all", ALL).filter((one) => one !== token);
  storage.keep("all", ALL, others);
  storage.drop("tab", SHOWN);
  storage.drop("tab", BATCH);
}
