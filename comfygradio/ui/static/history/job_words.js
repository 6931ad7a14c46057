// The wording of the history's jobs. Without the page: usable wherever JavaScript runs.

/** @import { Job, Result } from "./job.js" */

import { isOver } from "../library/phases.js";
import { nameTime } from "../library/words.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** @type {Record<string, string>} */
const STATES = { waiting: "Waiting", failed: "Not finished", stopped: "Stopped early" };

/**
 * A short remark on a job. `mark` is the end of a class that gives it a colour, or "".
 *
 * @typedef {{ text: string, mark: string, title: string }} Badge
 */

/** @param {Date} time */
function findMidnight(time) {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate());
}

/**
 * Name the day of a time.
 *
 * @param {number} seconds Unix time
 * @param {Date} now
 */
export function nameDay(seconds, now = new Date()) {
  const time = new Date(seconds * 1000);
  const milliseconds = findMidnight(now).getTime() - findMidnight(time).getTime();
  // A day has 23 or 25 hours when the clocks change.
  const ago = Math.round(milliseconds / DAY_MS);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  const isThisYear = time.getFullYear() === now.getFullYear();
  return time.toLocaleDateString("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: isThisYear ? undefined : "numeric",
  });
}

/**
 * Name a job.
 *
 * @param {Job} job
 */
export function nameJob(job) {
  return job.text || job.title;
}

/**
 * Write what stands below the name of a job: when it was made, and with which form if that is not
 * the name.
 *
 * @param {Job} job
 */
export function nameOrigin(job) {
  const created = new Date(job.created * 1000);
  const time = created.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return job.text ? `${job.title} · ${time}` : time;
}

/**
 * Write what is known about a job and the result of it that is shown.
 *
 * @param {Job} job
 * @param {Result | undefined} result
 */
export function nameFacts(job, result) {
  const facts = [nameTime(job.created)];
  if (result?.width) facts.push(`${result.width} × ${result.height}`);
  if (job.phase === "done" && job.seconds) facts.push(`${job.seconds} s`);
  return facts.join(" · ");
}

/** @param {Job} job */
function nameState(job) {
  if (job.phase !== "running") return STATES[job.phase] ?? "";
  if (job.percent) return `${Math.floor(job.percent)} %`;
  return "Starting";
}

/**
 * List the badges of a job.
 *
 * @param {Job} job
 * @returns {Badge[]}
 */
export function listBadges(job) {
  const badges = [];
  const state = nameState(job);
  if (state) badges.push({ text: state, mark: job.phase, title: "" });
  if (job.results.some((result) => result.partial)) {
    const title = "The job did not come to its end; there might have been more.";
    badges.push({ text: "Partial", mark: "", title });
  }
  if (job.results.some((result) => result.again)) {
    badges.push({ text: "Not fetched", mark: "failed", title: "" });
  }
  const count = job.results.length;
  if (count > 1) badges.push({ text: `${count} results`, mark: "", title: "" });
  return badges;
}

/**
 * Write why the card of a job shows nothing that it made.
 *
 * @param {Job} job
 */
export function explainNothing(job) {
  if (job.error) return job.error;
  if (!isOver(job)) return job.line;
  if (job.phase === "stopped") return "Stopped before anything was made.";
  return "Nothing was made.";
}
