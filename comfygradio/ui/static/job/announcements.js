// What those who hear the page are told of their jobs: begun, each quarter, ended; not every step.

/** @import { JobBrief, Message } from "./job_message.js" */

import { isOver } from "../library/phases.js";

const QUARTER = 25;

/** @type {Record<string, string>} */
const ENDINGS = {
  done: "The picture is ready.",
  stopped: "Stopped early.",
  failed: "Not finished.",
};

/** @type {Record<string, string>} */
const ENDINGS_OF_MANY = {
  done: " is ready.",
  stopped: ": stopped early.",
  failed: ": not finished.",
};

/** What was heard of a job last. @typedef {{ phase: string, quarter: number }} Heard */

/**
 * Make what finds the words; it remembers what was told of each job.
 *
 * @param {() => boolean} hasBegun whether Generate was pressed on this page: one that comes back
 *   speaks of no old pictures
 */
export function createAnnouncements(hasBegun) {
  /** @type {Map<string, Heard>} */
  const heard = new Map();

  /**
   * @param {JobBrief} job
   * @param {Heard | undefined} before
   * @param {string} name of the job; "" if it is the only one
   * @param {Message} message
   */
  function nameEnding(job, before, name, message) {
    const isKnown = before ? isOver(before) : !hasBegun();
    if (isKnown) return "";
    const ending = name ? name + ENDINGS_OF_MANY[job.phase] : ENDINGS[job.phase];
    const warnings = job.token === message.token ? message.warnings : [];
    return [ending, ...warnings].join(" ");
  }

  /**
   * @param {JobBrief} job
   * @param {Heard | undefined} before
   * @param {number} quarter
   * @param {Message} message
   */
  function nameNews(job, before, quarter, message) {
    const percents = `${QUARTER * quarter} percent.`;
    if (job.phase === "waiting") return before || !job.place ? "" : "Waiting in line.";
    if (before?.phase !== "running") return hasBegun() || !quarter ? "Started." : percents;
    const isNew = quarter > before.quarter && job.token === message.token;
    return isNew ? percents : "";
  }

  /**
   * @param {JobBrief} job
   * @param {string} name
   * @param {Message} message
   */
  function describeJob(job, name, message) {
    const before = heard.get(job.token);
    const reached = Math.min(Math.floor(job.percent / QUARTER), 3);
    const quarter = Math.max(reached, before?.quarter ?? 0);
    heard.set(job.token, { phase: job.phase, quarter });
    if (isOver(job)) return nameEnding(job, before, name, message);
    const news = nameNews(job, before, quarter, message);
    return news && name ? `${name}: ${news.toLowerCase()}` : news;
  }

  /**
   * Find the words for what is new in a message; "" if nothing is.
   *
   * @param {Message} message
   */
  function describe(message) {
    const count = message.jobs.length;
    const sentences = message.jobs.map((job, index) => {
      const name = count > 1 ? `Picture ${index + 1} of ${count}` : "";
      return describeJob(job, name, message);
    });
    return sentences.filter((sentence) => sentence !== "").join(" ");
  }

  return { describe };
}
