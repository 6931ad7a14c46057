// What is left to do once the app has looked for a smaller size for a form.

import { readRefusal } from "../form/refusal.js";

/**
 * @typedef {object} Steps
 * @property {() => void} press is done once the form has the size
 * @property {() => void} show is done if there is no such size, which the form says
 */

/** The form that is to try a smaller size. */
let asked = "";

/** @type {Steps} */
let steps = { press: () => {}, show: () => {} };

/**
 * @param {string} preset
 * @param {Steps} next
 */
export function afterSmallerSize(preset, next) {
  asked = preset;
  steps = next;
}

/**
 * Gradio's listener calls this after the app has answered.
 *
 * @param {string[]} presets
 * @param {any[]} problems what stands above the Generate of each, as the app told it
 */
export function trySmallerSize(presets, problems) {
  const { lines } = readRefusal(problems[presets.indexOf(asked)]);
  if (lines.length > 0) steps.show();
  else steps.press();
}
