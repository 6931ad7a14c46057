// Where a button is hidden that has the keyboard, what stands in its place gets it; else the
// keyboard would be back at the top of the page.

import { find } from "../library/template.js";

/**
 * @param {HTMLElement} main the form and the view together
 * @param {HTMLElement} view
 */
export function keepFocus(main, view) {
  const stop = find(view, "cg-stop");

  /**
   * @param {Element} lost
   * @returns {HTMLElement}
   */
  function choosePlace(lost) {
    const chip = lost.closest(".cg-chip");
    if (chip && lost.matches(".cg-chip-stop")) return find(chip, "cg-chip-pick");
    if (lost.closest(".cg-dock")) return stop;
    // Not Generate: Enter that was meant for Stop would begin anew.
    return view;
  }

  function keep() {
    const lost = document.activeElement;
    if (!lost?.closest(".cg-dock, .cg-view") || lost.checkVisibility()) return;
    const place = choosePlace(lost);
    if (place.checkVisibility()) place.focus({ preventScroll: true });
  }

  new MutationObserver(keep).observe(main, {
    subtree: true,
    attributeFilter: ["hidden", "data-phase", "data-at", "data-asks"],
  });
}
