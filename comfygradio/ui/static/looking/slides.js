// The results that the large view turns through. Without the page: usable wherever JavaScript runs.

/** @import { Shown, ShownResult } from "./tools.js" */

/**
 * One result with the job that made it.
 *
 * @typedef {{ job: Shown, place: number, result: ShownResult }} Slide
 */

/** How many results the strip shows. */
export const MOST_RECENT = 12;

/** The kinds that can be shown large. */
const KINDS = ["image", "video", "audio"];

/**
 * List the results of a job that can be shown large.
 *
 * @param {Shown} job
 * @returns {Slide[]}
 */
export function listSlides(job) {
  const all = job.results.map((result, place) => ({ job, place, result }));
  return all.filter(({ result }) => result.url !== "" && KINDS.includes(result.kind));
}

/**
 * List what was made last, newest job first.
 *
 * @param {Shown[]} jobs
 */
export function listRecent(jobs) {
  return jobs.flatMap(listSlides).slice(0, MOST_RECENT);
}

/**
 * Whether two slides show the same result.
 *
 * @param {Slide} one
 * @param {Slide} other
 */
export function isSame(one, other) {
  return one.job.token === other.job.token && one.place === other.place;
}

/**
 * List what can be turned through from a job: all of its results, among those that were made last.
 *
 * @param {Shown} job
 * @param {Slide[]} recent
 */
export function listAround(job, recent) {
  const own = listSlides(job);
  const first = recent.findIndex((slide) => slide.job.token === job.token);
  const others = recent.filter((slide) => slide.job.token !== job.token);
  // Those before the first one are of other jobs.
  const at = Math.max(first, 0);
  return [...others.slice(0, at), ...own, ...others.slice(at)];
}

/**
 * Name a slide for those who do not see it: by what was asked for.
 *
 * @param {Slide} slide
 */
export function nameSlide({ job, place }) {
  const name = job.text || job.title;
  const count = job.results.length;
  return count > 1 ? `${name}, ${place + 1} of ${count}` : name;
}

/**
 * Write the settings of a job as a text to copy.
 *
 * @param {string} title of its form
 * @param {{ label: string, text: string }[]} values
 */
export function writeSettings(title, values) {
  const lines = values.map(({ label, text }) => `${label}: ${text}`);
  return [title, ...lines].join("\n");
}
