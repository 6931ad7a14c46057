// The jobs that were begun together or while others ran: a chip for each, where there are several.

/** @import { JobBrief } from "./job_message.js" */

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { nameState } from "./job_words.js";

/**
 * @param {HTMLElement} row
 * @param {object} actions
 * @param {(token: string) => void} actions.choose shows a job
 * @param {(token: string) => void} actions.stop
 */
export function createChips(row, { choose, stop }) {
  /** The chips in the row, by the tokens of their jobs. @type {Map<string, Chip>} */
  let chips = new Map();

  /** @param {JobBrief[]} jobs */
  function findChips(jobs) {
    /** @type {Map<string, Chip>} */
    const found = new Map();
    for (const [index, { token }] of jobs.entries()) {
      const chip = chips.get(token) ?? createChip(token, index + 1, choose, stop);
      found.set(token, chip);
    }
    return found;
  }

  /** @param {JobBrief[]} jobs */
  function arrange(jobs) {
    const before = [...chips.keys()].join(" ");
    chips = findChips(jobs);
    const now = [...chips.keys()].join(" ");
    if (now === before) return;
    const roots = [...chips.values()].map((chip) => chip.root);
    row.replaceChildren(...roots);
  }

  /**
   * @param {JobBrief[]} jobs
   * @param {string} shown the token of the one that is shown
   */
  function paint(jobs, shown) {
    row.hidden = jobs.length < 2;
    arrange(row.hidden ? [] : jobs);
    if (row.hidden) return;
    for (const job of jobs) chips.get(job.token)?.paint(job, job.token === shown);
  }

  return { paint };
}

/** @typedef {ReturnType<typeof createChip>} Chip */

/**
 * @param {string} token
 * @param {number} number the place of the job among all
 * @param {(token: string) => void} choose
 * @param {(token: string) => void} stop
 */
function createChip(token, number, choose, stop) {
  const pick = press("cg-chip-pick", "", () => choose(token));
  const cancel = press("cg-chip-stop", "×", () => stop(token));
  cancel.setAttribute("aria-label", `Stop picture ${number}`);
  const root = make("li", { className: "cg-chip" }, pick, cancel);
  root.dataset.token = token;
  root.dataset.number = String(number);

  /**
   * @param {JobBrief} job
   * @param {string} state
   */
  function paintContent(job, state) {
    const shows = job.picture ? `picture ${job.picture}` : state;
    if (pick.dataset.shows === shows) return;
    pick.dataset.shows = shows;
    const content = job.picture ? make("img", { src: link(job.picture), alt: "" }) : state;
    pick.replaceChildren(content);
  }

  /**
   * @param {JobBrief} job
   * @param {boolean} isShown
   */
  function paint(job, isShown) {
    const state = nameState(job);
    root.dataset.phase = job.phase;
    pick.setAttribute("aria-pressed", String(isShown));
    pick.setAttribute("aria-label", `Picture ${number}: ${state}`);
    pick.title = job.title;
    cancel.hidden = isOver(job);
    paintContent(job, state);
  }

  return { root, paint };
}
