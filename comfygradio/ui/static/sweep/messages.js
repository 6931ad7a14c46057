// What the page of sweeps says in passing, and what it asks before something is lost.

import { make, press, say } from "../library/elements.js";

const SHOWN_MS = 6000;

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {string} yes the button that answers the question
 * @property {() => Promise<void>} action
 */

/**
 * Make both.
 *
 * @param {HTMLElement} element of the part
 * @param {HTMLElement} toast
 * @param {HTMLDialogElement} dialog
 */
export function createMessages(element, toast, dialog) {
  let timer = 0;

  /** Where people see the toast now. */
  function findHome() {
    const open = element.querySelector("dialog[open]");
    if (open) return open;
    const isShown = document.documentElement.dataset.cgPage === "sweep";
    return (isShown && element.querySelector(".cg-sweeps")) || document.body;
  }

  /** @param {string} text */
  function announce(text) {
    findHome().append(toast);
    toast.textContent = text;
    toast.hidden = !text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      toast.hidden = true;
    }, SHOWN_MS);
  }

  /** @param {Question} question */
  function confirm({ title, text, yes, action }) {
    const sure = press("cg-take cg-sweep-danger", yes, async () => {
      sure.disabled = true;
      await action();
      dialog.close();
    });
    const cancel = press("cg-small", "Cancel", () => dialog.close());
    dialog.replaceChildren(
      make("h3", { textContent: title }),
      say("cg-info", text),
      make("div", { className: "cg-sweep-actions" }, cancel, sure),
    );
    dialog.showModal();
    cancel.focus();
  }

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { announce, confirm };
}
