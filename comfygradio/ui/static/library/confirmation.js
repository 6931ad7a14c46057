// Asks before something is lost.

import { closeFromOutside } from "./dialogs.js";
import { make, press, say } from "./elements.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {string} yes the button that answers the question
 * @property {() => Promise<void>} action
 */

/**
 * Make what asks in this dialog.
 *
 * @param {HTMLDialogElement} dialog
 */
export function createConfirmation(dialog) {
  /** @param {Question} question */
  function confirm({ title, text, yes, action }) {
    const sure = press("cg-take cg-ask-yes", yes, async () => {
      sure.disabled = true;
      await action();
      dialog.close();
    });
    const cancel = press("cg-small", "Cancel", () => dialog.close());
    dialog.replaceChildren(
      make("h3", { textContent: title }),
      say("", text),
      make("div", { className: "cg-ask-actions" }, cancel, sure),
    );
    dialog.showModal();
    cancel.focus();
  }

  closeFromOutside(dialog);
  return confirm;
}
