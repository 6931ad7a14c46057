// Moves jobs to the trash, and offers to undo that.

/** @import { Desk } from "./desk.js" */
/** @import { OpenJobDialog } from "./open_job.js" */

import { isOver } from "../library/phases.js";
import { NOT_OVER, nameDeleted } from "./deletion_words.js";
import { findSubstitute } from "./gallery_order.js";
import { focusCard } from "./job_card.js";

/**
 * Make what moves jobs to the trash.
 *
 * @param {Desk} desk
 * @param {OpenJobDialog} openJob
 * @param {(tokens: Set<string>) => (back: Set<string>) => Promise<void>} remove takes jobs out of the
 *   gallery, and gives what brings those back that are restored
 */
export function createDeletion({ asking, gallery, say }, openJob, remove) {
  let isMoving = false;

  /** @param {string} token */
  function isActive(token) {
    const job = gallery.find(token);
    return job !== undefined && !isOver(job);
  }

  /**
   * Open the next job in the place of the one that is open, if that is gone.
   *
   * @param {string[]} order of the jobs before
   * @param {string} open
   * @param {Set<string>} gone
   */
  function replaceOpen(order, open, gone) {
    if (!gone.has(open)) return;
    const substitute = findSubstitute(order, open, gone);
    if (substitute === undefined) openJob.close();
    else openJob.open(substitute);
  }

  /**
   * @param {Set<string>} gone
   * @param {string} open what was open
   * @param {(back: Set<string>) => Promise<void>} bringBack
   */
  async function undo(gone, open, bringBack) {
    const answer = await asking.call("restore", { tokens: [...gone] });
    /** @type {Set<string>} */
    const back = new Set(answer.restored ?? []);
    if (back.size === 0) return;
    await bringBack(back);
    if (openJob.getToken() && back.has(open)) {
      openJob.open(open);
      return;
    }
    const card = gallery.listTokens().find((token) => back.has(token));
    const drawn = card === undefined ? undefined : gallery.findCard(card);
    if (drawn) focusCard(drawn);
  }

  /**
   * @param {string[]} tokens
   * @param {number} openCount of those that stay, since they are not over yet
   */
  async function move(tokens, openCount) {
    const order = gallery.listTokens();
    const open = openJob.getToken();
    const answer = await asking.call("delete", { tokens });
    /** @type {Set<string>} */
    const gone = new Set(answer.deleted ?? []);
    if (gone.size === 0) return;
    const bringBack = remove(gone);
    replaceOpen(order, open, gone);
    const text = [nameDeleted(gone.size, openCount), answer.error ?? ""].join(" ").trim();
    say(text, { text: "Undo", act: () => undo(gone, open, bringBack) });
  }

  /** @param {string[]} tokens */
  async function moveToTrash(tokens) {
    const over = tokens.filter((token) => !isActive(token));
    if (over.length === 0) {
      say(NOT_OVER);
      return;
    }
    if (isMoving) return;
    isMoving = true;
    await move(over, tokens.length - over.length).finally(() => {
      isMoving = false;
    });
  }

  return moveToTrash;
}
