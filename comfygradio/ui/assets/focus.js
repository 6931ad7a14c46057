// Where a button is hidden that has the keyboard, what stands in its place gets it; else the keyboard would be back at the
// top of the page.
function choosePlace(lost) {
  if (lost.matches(".cg-chip-stop")) return lost.closest(".cg-chip").querySelector(".cg-chip-pick");
  if (lost.closest(".cg-dock")) return $("stop");
  return element.querySelector(".cg-view");   // not Generate: Enter that was meant for Stop would begin anew
}

function keepFocus() {
  const lost = document.activeElement;
  if (!lost.closest(".cg-dock, .cg-view") || lost.checkVisibility()) return;
  const place = choosePlace(lost);
  if (place.checkVisibility()) place.focus({ preventScroll: true });
}
new MutationObserver(keepFocus).observe(element.closest("#cg-main"), {
  subtree: true, attributeFilter: ["hidden", "data-phase", "data-at", "data-asks"],
});
