// The draft of a preset as its author edits it. Without the page: usable wherever JavaScript runs.

/**
 * An input of the workflow, which may become a field of the form.
 *
 * @typedef {object} DraftRow
 * @property {string} id
 * @property {boolean} on whether it is a field of the form
 * @property {boolean} suggested whether it was one when the workflow was read
 * @property {boolean} advanced whether the form folds it away
 * @property {string} name
 * @property {string} label
 * @property {string} widget
 * @property {string[]} widgets those that it can have
 * @property {string} place where it is in the workflow
 */

/**
 * @typedef {object} Draft
 * @property {string} [error] why a file could not be read; then there is nothing else
 * @property {string} name
 * @property {string} title
 * @property {string} icon
 * @property {string} description
 * @property {string[]} notes
 * @property {DraftRow[]} rows
 * @property {boolean} byHand whether the text of the preset file counts instead
 * @property {string} source what goes back to the app as it came
 */

import { isListOf, isRecord } from "../library/checks.js";

const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const PRESET_NAME = /^[a-z][a-z0-9_]*$/;

/**
 * Read a draft that was kept; null if it is none, or if something in it is not what it should be.
 *
 * @param {unknown} kept
 * @returns {Draft | null}
 */
export function readKeptDraft(kept) {
  if (!isRecord(kept) || !kept.source) return null;
  const { source, name, title, icon, description, byHand, notes, rows } = kept;
  const hasTexts = isListOf([source, name, title, icon, description], isText);
  const isWhole = hasTexts && isListOf(notes, isText) && isListOf(rows, isRow);
  return isWhole
    ? { source, name, title, icon, description, byHand: byHand === true, notes, rows }
    : null;
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string";
}

/** @param {unknown} value */
function isAnswer(value) {
  return typeof value === "boolean";
}

/** @param {unknown} kept */
function isRow(kept) {
  if (!isRecord(kept)) return false;
  const { id, on, suggested, advanced, name, label, widget, widgets, place } = kept;
  const hasTexts = isListOf([id, name, label, widget, place], isText);
  const hasAnswers = isListOf([on, suggested, advanced], isAnswer);
  return hasTexts && hasAnswers && isListOf(widgets, isText);
}

/**
 * Name the list in which a row stands. One that was suggested stays where it is when it is unticked.
 *
 * @param {DraftRow} row
 * @returns {"main" | "more" | "rest"}
 */
export function nameList({ on, suggested, advanced }) {
  if (!on && !suggested) return "rest";
  return advanced ? "more" : "main";
}

/**
 * Say what is wrong with a row; "" if nothing is.
 *
 * @param {DraftRow} row
 * @param {DraftRow[]} rows all of them
 * @param {Map<string, string>} problems what the app says of fields, by their names
 */
export function findMistake(row, rows, problems) {
  if (!row.on) return "";
  if (!FIELD_NAME.test(row.name)) {
    return "A name has letters, digits and _, and begins with a letter.";
  }
  const sameName = rows.filter((other) => other.on && other.name === row.name);
  if (sameName.length > 1) return "Another field has this name.";
  return problems.get(row.name) ?? "";
}

/**
 * Name the list of rows that are not in the form.
 *
 * @param {number} count
 */
export function nameRest(count) {
  if (count === 1) return "1 further input of this workflow";
  return `${count} further inputs of this workflow`;
}

/**
 * Say what is wrong with the name of the preset; "" if nothing is.
 *
 * @param {string} name
 */
export function findNameMistake(name) {
  if (PRESET_NAME.test(name)) return "";
  return "Small letters, digits and _, beginning with a letter: my_preset.";
}
