// The badges of a job: how it is, and how many results it has.

/** @import { Job } from "./job.js" */

import { make } from "../library/elements.js";
import { listBadges } from "./job_words.js";

/**
 * Draw them.
 *
 * @param {Job} job
 */
export function drawBadges(job) {
  const badges = listBadges(job).map(({ text, mark, title }) => {
    const badge = make("span", { className: "cg-past-badge", textContent: text, title });
    if (mark) badge.classList.add(`cg-past-${mark}`);
    return badge;
  });
  return make("span", { className: "cg-past-badges" }, ...badges);
}
