// The values of a form. Gradio has them: a line of tools asks it for them by an event, and puts
// others into the form by another one.

import { forgetProblem } from "../form/problem.js";

/** @typedef {Record<string, any>} Values field → what its component holds */

/** Who waits for the values of each form. @type {Map<string, (values: Values) => void>} */
const reading = new Map();

/** What is about to be put into each form. @type {Map<string, Values>} */
const putting = new Map();

/** Who is told of each change of a form. @type {Map<string, () => void>} */
const listening = new Map();

/**
 * Read the values of a form.
 *
 * @param {string} preset
 * @param {() => void} ask starts Gradio's event
 * @returns {Promise<Values>}
 */
export function readValues(preset, ask) {
  return new Promise((resolve) => {
    reading.set(preset, resolve);
    ask();
  });
}

/**
 * Tell what Gradio has read.
 *
 * @param {string} preset
 * @param {string[]} names of the fields
 * @param {any[]} values
 */
export function tellValues(preset, names, values) {
  reading.get(preset)?.(Object.fromEntries(names.map((name, index) => [name, values[index]])));
  reading.delete(preset);
}

/**
 * Put values into a form; its other fields stay as they are.
 *
 * @param {string} preset
 * @param {Values} values
 * @param {() => void} ask starts Gradio's event
 */
export function putValues(preset, values, ask) {
  putting.set(preset, { ...putting.get(preset), ...values });
  ask();
}

/**
 * Give Gradio what is to be put into a form, field by field; undefined leaves a field alone.
 *
 * @param {string} preset
 * @param {string[]} names of the fields
 */
export function takeValues(preset, names) {
  const values = putting.get(preset) ?? {};
  putting.delete(preset);
  const listed = names.map((name) => values[name]);
  // Gradio takes the value of a single component without a list.
  return listed.length === 1 ? listed[0] : listed;
}

/**
 * Follow the changes of a form from now on.
 *
 * @param {string} preset
 * @param {() => void} changed
 */
export function followChanges(preset, changed) {
  listening.set(preset, changed);
}

/**
 * Note that a field of a form has changed.
 *
 * @param {string} preset
 * @param {string} id of the field's element
 */
export function noteChange(preset, id) {
  forgetProblem(preset, id);
  listening.get(preset)?.();
}
