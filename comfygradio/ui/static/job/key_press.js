// What the keys of the whole page have to know of a key that is pressed.

/**
 * Whether letters are being chosen, of Chinese, say.
 *
 * @param {KeyboardEvent} event
 */
export function isComposing(event) {
  // 229 is what some browsers say instead.
  return event.isComposing || event.keyCode === 229;
}

/** @param {KeyboardEvent} event */
export function isPlainKey(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
}

function hasDialog() {
  const dialogs = document.querySelectorAll("dialog[open], [role=dialog], .block.fullscreen");
  return [...dialogs].some((one) => one.checkVisibility());
}

/** Whether another page than the forms is open, or a dialog. */
export function isElsewhere() {
  const hasPage = Boolean(document.documentElement.dataset.cgPage);
  return hasPage || document.fullscreenElement !== null || hasDialog();
}
