// What the exported file keeps: ratings, the arrangement, light or dark.
//
// First with the tab's own history: over a reload on a busy machine, Chromium now and then loses
// what a page from a file put into its storages.

import { keep, read } from "../library/storage.js";

/**
 * Make what keeps something for one exported sweep.
 *
 * @param {string} id of the sweep
 */
export function createKept(id) {
  /** @param {string} name */
  function nameKey(name) {
    return `comfygradio.sheet.${id}.${name}`;
  }

  /**
   * @param {string} name
   * @param {any} fallback
   */
  function recall(name, fallback) {
    const key = nameKey(name);
    const text = history.state?.[key];
    try {
      if (text !== undefined) return JSON.parse(text) ?? fallback;
    } catch {
      // Something else is there.
    }
    return read("all", key, fallback);
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  function remember(name, value) {
    const key = nameKey(name);
    history.replaceState({ ...history.state, [key]: JSON.stringify(value) }, "");
    keep("all", key, value);
  }

  return { recall, remember };
}
