// Deletes jobs, after it has asked.

/** @import { Desk } from "./desk.js" */
/** @import { OpenJobDialog } from "./open_job.js" */

import { createConfirmation } from "../library/confirmation.js";
import { isOver } from "../library/phases.js";
import { nameDeletion } from "./deletion_words.js";
import { findSubstitute } from "./gallery_order.js";

/**
 * Make the dialog that asks; gives what opens it for jobs.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Desk} desk
 * @param {OpenJobDialog} openJob
 * @param {(tokens: Set<string>) => void} remove takes jobs that are deleted from the page
 */
export function createDeletion(dialog, desk, openJob, remove) {
  const { asking, gallery } = desk;
  const confirm = createConfirmation(dialog);

  /** @param {string} token */
  function isActive(token) {
    const job = gallery.find(token);
    return job !== undefined && !isOver(job);
  }

  /** @param {string[]} tokens */
  async function deleteAll(tokens) {
    const order = gallery.listTokens();
    const answer = await asking.call("delete", { tokens });
    /** @type {Set<string>} */
    const gone = new Set(answer.deleted ?? []);
    remove(gone);
    const open = openJob.getToken();
    if (!gone.has(open)) return;
    const substitute = findSubstitute(order, open, gone);
    if (substitute === undefined) openJob.close();
    else openJob.open(substitute);
  }

  /** @param {string[]} tokens */
  function ask(tokens) {
    const openCount = tokens.filter(isActive).length;
    if (openCount === tokens.length) {
      desk.say("These are not over yet; stop them before deleting them.");
      return;
    }
    confirm({
      ...nameDeletion(tokens.length - openCount, openCount),
      yes: "Delete",
      action: () => deleteAll(tokens.filter((token) => !isActive(token))),
    });
  }

  return ask;
}
