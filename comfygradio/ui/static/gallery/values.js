// The values of a cell as texts. Without the page: usable wherever JavaScript runs.
//
// Values are kept as the JSON that was exported, so that no digit of a large seed is lost.

/** @import { Axis } from "../results/space.js" */

import { findPositions } from "../results/space.js";

/**
 * A field, and the different values that it has anywhere, as JSON.
 *
 * @typedef {{ name: string, label: string, values: string[] }} Field
 */

/** A field and its value as JSON. @typedef {{ field: Field, json: string }} Value */

/** @type {Record<string, string>} */
const WORDS = { null: "", true: "on", false: "off" };

/**
 * List the values of a cell, which has the number of its value for each field.
 *
 * @param {Field[]} fields
 * @param {number[]} numbers
 * @returns {Value[]}
 */
export function listValues(fields, numbers) {
  const values = [];
  for (const [at, field] of fields.entries()) {
    const json = field.values[numbers[at]];
    if (json !== undefined) values.push({ field, json });
  }
  return values;
}

/**
 * Whether a field is for people to see.
 *
 * @param {Value} value
 */
export function isVisible({ field }) {
  return !field.name.startsWith("_");
}

/**
 * Write a value for people: a text as it is, a number with all its digits, lists with commas.
 *
 * @param {string} json
 */
export function writeValue(json) {
  if (!/^["[{]/.test(json)) return WORDS[json] ?? json;
  const value = JSON.parse(json);
  return Array.isArray(value) ? value.map(writeItem).join(", ") : writeItem(value);
}

/** @param {any} item */
function writeItem(item) {
  if (item === null || typeof item !== "object") return String(item);
  const name = item.name ?? JSON.stringify(item);
  return item.strength === undefined ? name : `${name}:${item.strength}`;
}

/**
 * Write values as JSON.
 *
 * @param {Value[]} values
 */
export function writeJson(values) {
  const lines = values.map(({ field, json }) => `  ${JSON.stringify(field.name)}: ${json}`);
  return `{\n${lines.join(",\n")}\n}`;
}

/**
 * Write the command that makes a cell again.
 *
 * @param {string} preset
 * @param {Value[]} values
 */
export function writeCommand(preset, values) {
  const settings = values.filter(isVisible).map(({ field, json }) => {
    return quote(`${field.name}=${writeValue(json)}`);
  });
  return ["comfygradio run", quote(preset), ...settings].join(" ");
}

/** Quote a text for a POSIX shell where it has to be. @param {string} text */
function quote(text) {
  if (/^[\w.,:@%+=/-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Write what was rated as a table with commas, with the labels of the axes.
 *
 * @param {Axis[]} axes
 * @param {number[]} ratings of all cells
 */
export function writeRatings(axes, ratings) {
  const rows = [[...axes.map((axis) => axis.title), "rating"]];
  for (const [at, rating] of ratings.entries()) {
    if (rating === 0) continue;
    const labels = findPositions(at, axes).map(([axis, position]) => axes[axis].labels[position]);
    rows.push([...labels, String(rating)]);
  }
  return rows.map((row) => row.map(writeField).join(",")).join("\n");
}

/**
 * Write a field of the table. A program that takes it for a formula would compute it.
 *
 * @param {string} text
 */
function writeField(text) {
  const isPlain = !/[",\n]|^[=+@-]/.test(text) || !Number.isNaN(Number(text));
  if (isPlain) return text;
  const harmless = text.replace(/^(?=[=+@-])/, "'");
  return `"${harmless.replaceAll('"', '""')}"`;
}
