// The gallery: the jobs that were found and have been loaded, newest first, under their days.

/** @import { Job } from "./job.js" */

import { make } from "../library/elements.js";
import { replaceCard } from "./job_card.js";
import { nameDay } from "./job_words.js";

/**
 * Make the gallery.
 *
 * @param {HTMLElement} grid
 * @param {(job: Job) => HTMLElement} drawCard
 */
export function createGallery(grid, drawCard) {
  /** @type {Map<string, Job>} */
  const jobs = new Map();
  /** @type {Map<string, HTMLElement>} */
  const cards = new Map();
  /** The heading of the last day. */
  let lastDay = "";

  function clear() {
    jobs.clear();
    cards.clear();
    lastDay = "";
    grid.replaceChildren();
  }

  /** @param {Job} job */
  function add(job) {
    if (jobs.has(job.token)) return;
    const day = nameDay(job.created);
    if (day !== lastDay) {
      grid.append(make("h3", { className: "cg-past-day", textContent: day }));
      lastDay = day;
    }
    const card = drawCard(job);
    jobs.set(job.token, job);
    cards.set(job.token, card);
    grid.append(card);
  }

  /**
   * Show a job as it is now, if it is here.
   *
   * @param {Job} job
   */
  function update(job) {
    const old = cards.get(job.token);
    if (!old) return;
    const card = drawCard(job);
    jobs.set(job.token, job);
    cards.set(job.token, card);
    replaceCard(old, card);
  }

  /**
   * Take the heading of a day away if no card is left under it.
   *
   * @param {Element | null} heading what stood before a card that is gone
   */
  function dropDay(heading) {
    if (!heading?.matches("h3") || heading.nextElementSibling?.matches(".cg-past-card")) return;
    heading.remove();
    const headings = [...grid.querySelectorAll("h3")];
    lastDay = headings.at(-1)?.textContent ?? "";
  }

  /**
   * Take a job away, if it is here.
   *
   * @param {string} token
   */
  function remove(token) {
    const card = cards.get(token);
    if (!card) return;
    const before = card.previousElementSibling;
    card.remove();
    dropDay(before);
    jobs.delete(token);
    cards.delete(token);
  }

  /**
   * Show these jobs in the place of all others.
   *
   * @param {Job[]} wanted
   */
  function refill(wanted) {
    clear();
    for (const job of wanted) add(job);
  }

  return {
    clear,
    add,
    refill,
    update,
    remove,
    isEmpty: () => jobs.size === 0,
    find: (/** @type {string} */ token) => jobs.get(token),
    findCard: (/** @type {string} */ token) => cards.get(token),
    listJobs: () => [...jobs.values()],
    listTokens: () => [...jobs.keys()],
  };
}

/** @typedef {ReturnType<typeof createGallery>} Gallery */
