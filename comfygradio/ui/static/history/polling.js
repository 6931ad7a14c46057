// Asks every few seconds how the jobs are that are not over.

/** @import { Desk } from "./desk.js" */

import { isOver } from "../library/phases.js";
import { isShown } from "./desk.js";

const EVERY_MS = 2000;

/**
 * Ask from now on, while the page is seen.
 *
 * @param {Desk} desk
 */
export function pollJobs({ asking, gallery, refresh }) {
  let isAsking = false;

  /** @param {string[]} tokens */
  async function look(tokens) {
    isAsking = true;
    try {
      const answer = await asking.ask("look", { tokens });
      for (const job of answer?.jobs ?? []) refresh(job);
    } catch {
      // The app is away for a moment; the next round asks again.
    }
    isAsking = false;
  }

  function poll() {
    if (!isShown() || document.hidden || isAsking || asking.getAccess() === null) return;
    const active = gallery.listJobs().filter((job) => !isOver(job));
    if (active.length > 0) look(active.map((job) => job.token));
  }

  setInterval(poll, EVERY_MS);
}
