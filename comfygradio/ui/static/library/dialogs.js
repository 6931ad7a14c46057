// Dialogs that are closed in the same way.

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
