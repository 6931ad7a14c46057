// Keeps what was put into custom fields, those that are not Gradio's, over a reload until the app has
// it. Such a field may be a list of which the next page knows no row, so whole values are kept.

import { isRecord } from "../library/checks.js";
import * as storage from "../library/storage.js";

const KEY = "comfygradio.values";

/**
 * The value of a field. What is only typed so far is not in the form yet.
 *
 * @typedef {{ value: any, isTyped: boolean }} Note
 */

/** What was put into fields on this page, by preset and field. @type {Map<string, Map<string, Note>>} */
const notes = new Map();

/** What was put into fields before the page was loaded. @type {Record<string, any>} */
let kept = {};

/**
 * Note the value of a field of a form.
 *
 * @param {Element} element of the field
 * @param {any} value
 * @param {boolean} isTyped whether somebody is still typing
 */
export function noteCustomValue(element, value, isTyped) {
  const panel = element.closest(".cg-panel");
  const field = element.closest("[id^='cg-']");
  if (!panel || !field || panel === field) return;
  const preset = panel.id.slice("cg-panel-".length);
  const name = field.id.slice(`cg-${preset}-`.length);
  const noted = notes.get(preset) ?? new Map();
  notes.set(preset, noted.set(name, { value, isTyped }));
}

/**
 * Forget what is noted of fields, since something else comes into them.
 *
 * @param {string} preset
 * @param {string[]} names
 */
export function dropCustomValues(preset, names) {
  for (const name of names) notes.get(preset)?.delete(name);
}

/**
 * Remember what is noted of a form now. Gives what forgets it once the app has the form's values; what
 * was noted later, or is only typed, stays.
 *
 * @param {string} preset
 */
export function snapshotCustomValues(preset) {
  const seen = new Map(notes.get(preset));

  function forget() {
    const noted = notes.get(preset);
    for (const [name, note] of seen) {
      if (!note.isTyped && noted?.get(name) === note) noted.delete(name);
    }
  }

  return forget;
}

/**
 * Take what was put into the fields of a form before the page was loaded. It counts as noted until
 * the app has it.
 *
 * @param {string} preset
 * @returns {Record<string, any>} field → value
 */
export function takeCustomValues(preset) {
  const values = isRecord(kept[preset]) ? kept[preset] : {};
  delete kept[preset];
  /** @type {Map<string, Note>} */
  const noted = new Map();
  for (const [name, value] of Object.entries(values)) noted.set(name, { value, isTyped: false });
  for (const [name, note] of notes.get(preset) ?? []) noted.set(name, note);
  notes.set(preset, noted);
  return values;
}

function keep() {
  const all = { ...kept };
  for (const [preset, noted] of notes) {
    const values = [...noted].map(([name, { value }]) => [name, value]);
    if (values.length) all[preset] = { ...all[preset], ...Object.fromEntries(values) };
  }
  storage.keep("tab", KEY, all);
}

/** Keep from now on what is put into the fields. */
export function keepCustomValues() {
  kept = storage.readRecord("tab", KEY);
  storage.drop("tab", KEY);
  addEventListener("pagehide", keep);
}
