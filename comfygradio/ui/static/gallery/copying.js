// Copies texts to the clipboard, and says so.

import { make, say } from "../library/elements.js";

const SHOWN_MS = 2500;

/** Make what copies. */
export function createCopying() {
  const toast = say("toast", "");
  toast.setAttribute("role", "status");
  let timer = 0;

  /** Where people are: what stands outside of an open dialog cannot be used. */
  function findHome() {
    return document.querySelector("dialog[open]") ?? document.body;
  }

  /** @param {string} text */
  function announce(text) {
    findHome().append(toast);
    toast.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      toast.textContent = "";
    }, SHOWN_MS);
  }

  /** Copy where a page from a file may not use the clipboard. @param {string} text */
  function copySelected(text) {
    const area = make("textarea", { value: text, className: "unseen" });
    findHome().append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }

  /**
   * Copy a text, and say that this is done.
   *
   * @param {string} text
   * @param {string} done
   */
  async function copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (!copySelected(text)) {
        announce("This browser does not let the page copy.");
        return;
      }
    }
    announce(done);
  }

  return { copy };
}
