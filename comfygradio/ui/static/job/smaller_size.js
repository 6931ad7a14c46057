// What is left to do once a form has the smaller size that it was to try.

/** @type {() => void} */
let goOn = () => {};

/** @param {() => void} action is done after the app has filled in the size */
export function afterSmallerSize(action) {
  goOn = action;
}

/** Gradio's listener calls this once the form has the size. */
export function trySmallerSize() {
  goOn();
}
