// Waits until the app has looked for a smaller size for a form.

import { readRefusal } from "../form/refusal.js";

/**
 * @typedef {object} Wait
 * @property {string} preset the form that is to get the size
 * @property {(isFound: boolean) => void} end
 */

/** @type {Wait | null} */
let wait = null;

/**
 * Wait for the answer about a form: true once the form has a smaller size, false if there is none,
 * which the form says.
 *
 * @param {string} preset
 * @returns {Promise<boolean>}
 */
export function awaitSmallerSize(preset) {
  return new Promise((end) => {
    wait = { preset, end };
  });
}

/**
 * Gradio's listener calls this after the app has answered.
 *
 * @param {string[]} presets
 * @param {any[]} problems what stands above the Generate of each, as the app told it
 */
export function tellSmallerSize(presets, problems) {
  if (!wait) return;
  const { preset, end } = wait;
  wait = null;
  const { lines } = readRefusal(problems[presets.indexOf(preset)]);
  end(lines.length === 0);
}
