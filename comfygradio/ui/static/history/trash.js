// The view of what was deleted in the last day: to restore it, or to delete it for good.

/** @import { Desk } from "./desk.js" */
/** @import { Job } from "./job.js" */

import { createConfirmation } from "../library/confirmation.js";
import { make, press, say } from "../library/elements.js";
import { find } from "../library/template.js";
import { drawBadges } from "./badges.js";
import { ABOUT_TRASH, nameDeletion, nameEmptying, nameStay } from "./deletion_words.js";
import { nameJob } from "./job_words.js";
import { drawThumbnail } from "./thumbnail.js";

/**
 * Make the view work.
 *
 * @param {Element} root
 * @param {Desk} desk
 * @param {object} page
 * @param {(tokens: Set<string>) => void} page.remove takes jobs out of the gallery
 * @param {() => void} page.load loads what is there anew
 */
export function createTrash(root, desk, { remove, load }) {
  const { asking, gallery } = desk;
  const head = find(root, "cg-past-bin");
  const button = find(root, "cg-past-trash", HTMLButtonElement);
  const dialog = find(root, "cg-ask", HTMLDialogElement);
  const confirm = createConfirmation(dialog);

  /** @param {string} token */
  function take(token) {
    const order = gallery.listTokens();
    const next = order[order.indexOf(token) + 1] ?? order[order.indexOf(token) - 1];
    remove(new Set([token]));
    /** @type {HTMLElement | null | undefined} */
    const another = gallery.findCard(next ?? "")?.querySelector("button");
    (another ?? button).focus();
  }

  /** @param {Job} job */
  async function restore({ token }) {
    const answer = await asking.call("restore", { tokens: [token] });
    if (!answer.restored?.length) return;
    take(token);
    desk.say("Restored.");
  }

  /** @param {Job} job */
  function askToDelete({ token }) {
    confirm({
      ...nameDeletion(),
      yes: "Delete for good",
      action: async () => {
        const answer = await asking.call("delete_for_good", { tokens: [token] });
        if (!answer.deleted?.length) return;
        // Only then the keyboard can go to another card.
        dialog.addEventListener("close", () => take(token), { once: true });
      },
    });
  }

  function askToEmpty() {
    confirm({
      ...nameEmptying(),
      yes: "Delete for good",
      action: async () => {
        await asking.call("delete_for_good", { all: true });
        load();
      },
    });
  }

  /**
   * Draw the card of a job in the trash.
   *
   * @param {Job} job
   */
  function drawCard(job) {
    const name = nameJob(job);
    const thumbnail = make("div", { className: "cg-past-thumb" });
    thumbnail.append(drawThumbnail(job), drawBadges(job));
    const caption = make(
      "p",
      { className: "cg-past-caption" },
      make("span", { className: "cg-past-say", textContent: name, title: name }),
      make("span", { className: "cg-past-when", textContent: nameStay(job.secondsLeft ?? 0) }),
    );
    const actions = make(
      "div",
      { className: "cg-past-bin-actions" },
      press("cg-small", "Restore", () => restore(job), { label: `Restore ${name}`, title: "" }),
      press("cg-small cg-past-danger", "Delete for good", () => askToDelete(job), {
        label: `Delete for good: ${name}`,
        title: "",
      }),
    );
    return make("article", { className: "cg-past-card" }, thumbnail, caption, actions);
  }

  /**
   * Draw what stands above the jobs.
   *
   * @param {boolean} isOpen whether the trash is what is shown
   * @param {boolean} hasAny whether anything is in it
   */
  function paint(isOpen, hasAny) {
    if (!isOpen) {
      head.replaceChildren();
      return;
    }
    const empty = press("cg-small cg-past-danger", "Delete all for good", askToEmpty);
    head.replaceChildren(say("cg-info", ABOUT_TRASH), ...(hasAny ? [empty] : []));
  }

  return { drawCard, paint };
}
