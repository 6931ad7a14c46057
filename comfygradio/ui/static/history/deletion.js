// Deletes jobs, after it has asked.

/** @import { Desk } from "./desk.js" */
/** @import { OpenJobDialog } from "./open_job.js" */

import { closeFromOutside } from "../library/dialogs.js";
import { make, press, say } from "../library/elements.js";
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
    const { title, text } = nameDeletion(tokens.length - openCount, openCount);
    const sure = press("cg-take cg-past-delete", "Delete", async () => {
      sure.disabled = true;
      await deleteAll(tokens.filter((token) => !isActive(token)));
      dialog.close();
    });
    const cancel = press("cg-small", "Cancel", () => dialog.close());
    dialog.replaceChildren(
      make("h3", { textContent: title }),
      say("", text),
      make("div", { className: "cg-past-actions" }, cancel, sure),
    );
    dialog.showModal();
    cancel.focus();
  }

  closeFromOutside(dialog);
  return ask;
}
