// The jobs of this tab, and what it knows of them.

/** @import { JobBrief, Message } from "./job_message.js" */

import { isOver } from "../library/phases.js";
import { readBatch, readShown } from "./job_memory.js";

/** How many jobs a tab has; the app tells of no more. */
const MOST_JOBS = 20;

/** How much of a job the tab shows. @typedef {{ version: number, frames: number, ended: number }} Seen */

/** @type {Seen} */
export const NOTHING_SEEN = { version: -1, frames: 0, ended: 0 };

/**
 * @typedef {object} TabJobs
 * @property {JobBrief[]} jobs as the app told them last
 * @property {string} shown the token of the job that is shown; "" if none is
 * @property {boolean} isChosen whether the person chose it
 * @property {Seen} seen what is shown of it
 * @property {Message | null} told the last message about it
 * @property {Set<string>} stopping the tokens of those that are being stopped
 * @property {Set<string>} ended the tokens of those from before this page was loaded, and of those
 *   whose end was told
 */

/** @returns {TabJobs} */
export function createTabJobs() {
  return {
    jobs: [],
    shown: readShown(),
    isChosen: false,
    seen: NOTHING_SEEN,
    told: null,
    stopping: new Set(),
    ended: new Set(readBatch()),
  };
}

/**
 * Find the oldest job that is not over.
 *
 * @param {TabJobs} tab
 */
export function findOpen(tab) {
  return tab.jobs.find((job) => !isOver(job));
}

/**
 * Whether a job is not over.
 *
 * @param {TabJobs} tab
 */
export function isBusy(tab) {
  return findOpen(tab) !== undefined;
}

/**
 * List the tokens of all jobs. Before the app has told of them, those that are remembered: whatever
 * is asked first asks for all.
 *
 * @param {TabJobs} tab
 */
export function listTokens(tab) {
  if (tab.jobs.length === 0) return readBatch();
  return tab.jobs.map((job) => job.token);
}

/**
 * Whether a message tells of a part of the jobs alone. Where the tab has no stream, Generate tells
 * of those that it began, and knows nothing of those from before.
 *
 * @param {TabJobs} tab
 * @param {Message} message
 */
export function isPartial(tab, message) {
  const isFirst = message.number === 1 || message.ask === true;
  if (!isFirst) return false;
  const told = message.jobs.map((job) => job.token);
  const answered = [...told, ...(message.unknown ?? [])];
  return tab.jobs.some((job) => !isOver(job) && !answered.includes(job.token));
}

/**
 * Add jobs that the tab does not know yet; if there are too many, the oldest are dropped.
 *
 * @param {TabJobs} tab
 * @param {JobBrief[]} jobs
 * @returns {boolean} whether there are any
 */
export function addJobs(tab, jobs) {
  const known = tab.jobs.map((job) => job.token);
  const fresh = jobs.filter((job) => !known.includes(job.token));
  tab.jobs = [...tab.jobs, ...fresh].slice(-MOST_JOBS);
  return fresh.length > 0;
}
