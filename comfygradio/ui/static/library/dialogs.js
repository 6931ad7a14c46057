// What dialogs have in common.

/**
 * Close a dialog when people press beside it. A dialog that serves one content after the other may
 * come here each time.
 *
 * @param {HTMLDialogElement} dialog
 */
export function closeFromOutside(dialog) {
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
}

/**
 * Draw a dialog anew; what is said in it in passing stays.
 *
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} drawn
 */
export function redraw(dialog, drawn) {
  for (const child of [...dialog.children]) {
    if (!child.classList.contains("cg-toast")) child.remove();
  }
  dialog.prepend(drawn);
}

/** Find where people are: what stands outside of the uppermost dialog is neither seen nor used. */
export function findUppermost() {
  const dialogs = [...document.querySelectorAll("dialog[open]")];
  return dialogs.at(-1) ?? document.body;
}
