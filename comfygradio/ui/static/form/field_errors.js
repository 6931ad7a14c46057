// Says beside the fields of a form what is wrong with them.

import { make } from "../library/elements.js";

/** How far the buttons beside a seed stay above the text below it, besides its height, in pixels. */
const SEED_GAP = 6;

/**
 * Watch a mask editor, which tells nobody of its changes, but is drawn anew with another picture.
 *
 * @param {HTMLElement} field
 * @param {() => void} changed
 */
function watchMask(field, changed) {
  const drawn = new MutationObserver(() => {
    drawn.disconnect();
    changed();
  });
  drawn.observe(field, { childList: true, subtree: true });
}

/**
 * Make what marks the fields of a form.
 *
 * @param {string} preset
 * @param {(id: string) => void} forget is told of a field that has changed
 */
export function createFieldErrors(preset, forget) {
  function clear() {
    /** @type {NodeListOf<HTMLElement>} */
    const errors = document.querySelectorAll(".cg-field-error");
    for (const error of errors) {
      if (error.dataset.of === preset) error.remove();
    }
    const panel = document.getElementById(`cg-panel-${preset}`);
    for (const box of panel?.querySelectorAll("[aria-invalid]") ?? []) {
      box.removeAttribute("aria-invalid");
    }
  }

  /**
   * Say what is wrong with a field; again is not needed.
   *
   * @param {string} id of the field's element
   * @param {string} text
   */
  function mark(id, text) {
    const field = document.getElementById(id);
    if (!field || field.querySelector(".cg-field-error")) return;
    if (field.nextElementSibling?.matches(".cg-field-error")) return;
    const error = make("p", { className: "cg-field-error", textContent: text });
    error.dataset.of = preset;
    // The height of an upload is fixed.
    if (field.classList.contains("cg-upload")) field.after(error);
    else field.append(error);
    /** @type {HTMLElement | null} */
    const seed = field.closest(".cg-seed");
    // The buttons of a seed stay beside its box.
    seed?.style.setProperty("--cg-error", `${error.offsetHeight + SEED_GAP}px`);
    field.querySelector("input, textarea")?.setAttribute("aria-invalid", "true");
    if (field.classList.contains("cg-mask")) watchMask(field, () => forget(id));
  }

  return { clear, mark };
}
