// The draft of a sweep: which fields of a form get several values. What is typed survives a reload.
// Without the page: usable wherever JavaScript runs.

import { isListOf, isRecord } from "../library/checks.js";

/**
 * One field that gets several values.
 *
 * @typedef {object} Entry
 * @property {string} field its name; "" before one is chosen
 * @property {string} text the values as they are typed
 * @property {{ path: string, name: string }[]} [files]
 */

/**
 * @typedef {object} Draft
 * @property {string} preset
 * @property {object} values of the form
 * @property {Entry[][]} axes the fields of one axis change together
 * @property {boolean} carry
 * @property {string} title
 */

/**
 * A field of the form, as the app describes it.
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} help
 * @property {string} takes "lines" or "files", or whatever else
 * @property {number} choices how many there are to choose from; 0 if it has no list
 * @property {string} accept the files that it takes
 * @property {string} now its value in the form, as a text
 * @property {string} suggested values to begin with
 */

/** So long after the last letter it is asked what was typed. */
export const TYPE_MS = 300;

/** @returns {Entry} */
export function makeEntry() {
  return { field: "", text: "" };
}

/**
 * Read a draft that was kept; null if it is none.
 *
 * @param {unknown} kept
 * @returns {Draft | null}
 */
export function readKeptDraft(kept) {
  if (!isRecord(kept) || typeof kept.preset !== "string" || !isRecord(kept.values)) return null;
  const { preset, values, axes, carry, title } = kept;
  const hasAxes = isListOf(axes, (axis) => isListOf(axis, isEntry) && axis.length > 0);
  return {
    preset,
    values,
    axes: hasAxes ? axes : [],
    carry: carry !== false,
    title: typeof title === "string" ? title : "",
  };
}

/** @param {unknown} kept */
function isEntry(kept) {
  if (!isRecord(kept)) return false;
  const { field, text, files = [] } = kept;
  return typeof field === "string" && typeof text === "string" && isListOf(files, isFile);
}

/** @param {unknown} kept */
function isFile(kept) {
  return isRecord(kept) && typeof kept.path === "string" && typeof kept.name === "string";
}

/**
 * List the fields that an entry may have: each that no other entry has.
 *
 * @param {Field[]} fields
 * @param {Entry[][]} axes
 * @param {Entry} entry
 */
export function listFree(fields, axes, entry) {
  const others = axes.flat().filter((other) => other !== entry);
  const taken = new Set(others.map((other) => other.field));
  return fields.filter((field) => !taken.has(field.name));
}

/**
 * Give an entry a field. What was typed stays, unless it was only proposed for the field before.
 *
 * @param {Entry} entry
 * @param {Field | undefined} before
 * @param {Field | undefined} field
 */
export function changeField(entry, before, field) {
  entry.field = field?.name ?? "";
  const isTyped = ![undefined, "", before?.now, before?.suggested].includes(entry.text);
  if (!isTyped) entry.text = field?.suggested || field?.now || "";
}

/**
 * Add a value to those that are typed, or take it away.
 *
 * @param {string[]} texts
 * @param {string} text
 * @param {boolean} isAdded
 */
export function toggleText(texts, text, isAdded) {
  const others = texts.filter((other) => other !== text);
  if (!isAdded) return others;
  return texts.includes(text) ? texts : [...texts, text];
}
