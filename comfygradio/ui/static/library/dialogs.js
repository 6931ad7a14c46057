// What dialogs have in common.

/**
 * Close a dialog when people press beside it.
 *
 * @param {HTMLDialogElement} dialog
 */
export function closeFromOutside(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

/** Find where people are: what stands outside of the uppermost dialog is neither seen nor used. */
export function findUppermost() {
  const dialogs = [...document.querySelectorAll("dialog[open]")];
  return dialogs.at(-1) ?? document.body;
}
