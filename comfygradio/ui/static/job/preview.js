// The newest preview of the job that is shown.

import { make } from "../library/elements.js";
import { isOver } from "../library/phases.js";

/**
 * @param {HTMLElement} view says which job is shown, and its phase
 * @param {() => void} clearResults takes away what the job before has made
 */
export function createPreview(view, clearResults) {
  function findFrame() {
    return /** @type {HTMLImageElement} */ (view.querySelector(".cg-frame"));
  }

  /**
   * Show a preview of this job, once it is decoded.
   *
   * @param {string} uri
   * @param {string} token
   */
  async function paint(uri, token) {
    const old = findFrame();
    const frame = make("img", { className: "cg-frame", alt: old.alt, src: uri });
    try {
      await frame.decode();
    } catch {
      return;
    }
    const { token: shown, phase = "" } = view.dataset;
    if (shown !== token || isOver({ phase })) return;
    // It is decoded, so it is painted with the next frame of the screen.
    old.replaceWith(frame);
    clearResults();
  }

  function clear() {
    const frame = findFrame();
    frame.hidden = true;
    frame.removeAttribute("src");
  }

  return { paint, clear, isHidden: () => findFrame().hidden };
}
