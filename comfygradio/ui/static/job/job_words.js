// The wording of the job view. Without the page: usable wherever JavaScript runs.

/** @import { JobBrief, Message, Result } from "./job_message.js" */

/** @type {Record<string, string>} */
const ENDED = { done: "Done", stopped: "Stopped", failed: "Not finished" };

/**
 * Join what there is with dots between.
 *
 * @param {string[]} texts
 */
function joinTexts(texts) {
  return texts.filter((text) => text !== "").join(" · ");
}

/**
 * Write how long something took.
 *
 * @param {number} seconds
 */
export function nameDuration(seconds) {
  // From here on, a tenth would be rounded up to ten seconds.
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * Write how one of several jobs is.
 *
 * @param {JobBrief} job
 */
export function nameState(job) {
  if (job.phase === "running") return `${job.percent} %`;
  if (job.phase !== "waiting") return ENDED[job.phase];
  if (job.place > 0) return `${job.place} before it`;
  return "Waiting";
}

/**
 * Write what stands beside the progress: how much is done, and the time left.
 *
 * @param {Message} message
 */
export function nameTimes({ silent, percent, left }) {
  if (silent) return "";
  const done = percent > 0 ? `${Math.floor(percent)} %` : "";
  return joinTexts([done, left]);
}

/**
 * Write what the line of the progress says when a pointer rests on it.
 *
 * @param {Message} message
 */
export function nameDetails({ told, line, detail }) {
  // A node's own text may be cut off.
  const whole = told ? line : "";
  return [whole, detail].filter((text) => text !== "").join("\n");
}

/**
 * Write how a job ended.
 *
 * @param {Message} message
 */
function nameEnd({ phase, seconds }) {
  if (phase === "done") return `in ${nameDuration(seconds)}`;
  if (phase === "stopped") return "stopped early";
  return "not finished";
}

/**
 * Write what stands below the results.
 *
 * @param {Message} message
 */
export function nameSummary(message) {
  const seed = message.seed ? `seed ${message.seed}` : "";
  return joinTexts([message.title, nameEnd(message), seed]);
}

/**
 * Name one of the results of a job for those who do not see it: by what was asked for.
 *
 * @param {Pick<Message, "summary" | "title">} message
 * @param {number} index
 * @param {number} count
 */
export function nameResult({ summary, title }, index, count) {
  const name = summary || title;
  if (count === 1) return name;
  return `${name}, picture ${index + 1} of ${count}`;
}

/**
 * Write what stands below a result.
 *
 * @param {Result} result
 */
export function nameSize({ partial, width, height }) {
  const state = partial ? "Not finished" : "";
  const size = width ? `${width} × ${height}` : "";
  return joinTexts([state, size]);
}

/**
 * Write what a button says that would try a smaller size.
 *
 * @param {string} size "WIDTHxHEIGHT"; "" if there is none
 */
export function nameSmallerSize(size) {
  if (!size) return "";
  return `With ${size.replace("x", " × ")} pixels`;
}

/**
 * Write the title of the browser's tab.
 *
 * @param {string} title of the page
 * @param {Message} message about the job that is shown
 * @param {boolean} isBusy whether any job is not over
 */
export function nameTab(title, message, isBusy) {
  if (isBusy) {
    const running = message.jobs.find((job) => job.phase === "running");
    return `${running?.percent ?? 0} % · ${title}`;
  }
  return message.phase === "done" ? `✓ ${title}` : title;
}
