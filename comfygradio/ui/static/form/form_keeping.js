// Keeps a form on the server as it is filled in, a moment after each change, and knows which of its
// fields somebody is at.

/** @import { Values } from "../page/form_values.js" */

import { isLasting } from "../library/storage.js";
import { snapshotCustomValues } from "../page/custom_values.js";
import { followChanges } from "../page/form_values.js";
import { hasTyped } from "../page/typed_texts.js";

const PAUSE_MS = 1000;

const TOUCHES = ["pointerdown", "keydown", "input", "change"];

/**
 * Make what keeps a form.
 *
 * @param {string} preset
 * @param {object} options
 * @param {() => Promise<Values>} options.read reads the form's values
 * @param {(values: Values) => Promise<void>} options.keep sends them to the app
 */
export function createKeeping(preset, { read, keep }) {
  /** The ids of the fields that somebody is at. @type {Set<string>} */
  const touched = new Set();
  /** What the app knows; null before anything. @type {string | null} */
  let known = null;
  let isReady = false;
  let timer = 0;

  /** @param {Event} event */
  function touch({ target }) {
    if (!(target instanceof Element)) return;
    const field = target.closest(`[id^='cg-${CSS.escape(preset)}-']`);
    if (field) touched.add(field.id);
  }

  async function keepNow() {
    clearTimeout(timer);
    timer = 0;
    const forget = snapshotCustomValues(preset);
    const values = await read();
    const text = JSON.stringify(values);
    if (text === known) return;
    known = text;
    try {
      await keep(values);
      forget();
    } catch {
      // The app is away: the next change, or the next look at the page, sends it.
      known = null;
    }
  }

  function schedule() {
    if (!isReady) return;
    clearTimeout(timer);
    timer = setTimeout(keepNow, PAUSE_MS);
  }

  /**
   * Whether somebody is at a field, so that nothing kept may come into it.
   *
   * @param {string} name
   */
  function isTaken(name) {
    const id = `cg-${preset}-${name}`;
    return touched.has(id) || hasTyped(id);
  }

  /**
   * Keep every change from now on.
   *
   * @param {boolean} isUntouched whether the form is as the app knows it
   */
  async function start(isUntouched) {
    // The id of a browser without storage is new for each page: nobody would find it again.
    if (!isLasting("all") && !globalThis.gradio_config?.username) return;
    const isKnown = isUntouched && touched.size === 0;
    if (isKnown) known = JSON.stringify(await read());
    isReady = true;
    if (!isKnown) schedule();
  }

  const panel = document.getElementById(`cg-panel-${preset}`);
  for (const name of TOUCHES) panel?.addEventListener(name, touch, { capture: true });
  followChanges(preset, schedule);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && timer) keepNow();
  });
  return { isTaken, start };
}
