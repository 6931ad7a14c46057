// What came of the last preview, which the list of fields needs to know: the preview may be drawn
// before the list is there.

/**
 * @typedef {object} Result
 * @property {Map<string, string>} problems what is wrong with fields, by their names
 * @property {boolean} saved whether the preset is saved as it is
 */

/** @type {Result} */
let result = { problems: new Map(), saved: false };

/** The result of the last preview. */
export function readResult() {
  return result;
}

/**
 * Tell the result of a preview.
 *
 * @param {Result} news
 */
export function tellResult(news) {
  result = news;
  window.dispatchEvent(new CustomEvent("comfygradio-author", { detail: news }));
}
