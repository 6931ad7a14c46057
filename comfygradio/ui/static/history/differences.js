// What is different in two jobs. Without the page: usable wherever JavaScript runs.

/** @import { Value } from "./job.js" */

/**
 * A field whose values differ. A job without it has no value.
 *
 * @typedef {{ label: string, left: Value | undefined, right: Value | undefined }} Difference
 */

/**
 * Find the differences between the values of two jobs, and count the fields that are the same.
 *
 * @param {Value[]} leftValues
 * @param {Value[]} rightValues
 */
export function findDifferences(leftValues, rightValues) {
  const lefts = new Map(leftValues.map((value) => [value.name, value]));
  const rights = new Map(rightValues.map((value) => [value.name, value]));
  const names = new Set([...lefts.keys(), ...rights.keys()]);
  /** @type {Difference[]} */
  const differences = [];
  for (const name of names) {
    const left = lefts.get(name);
    const right = rights.get(name);
    if (left?.text === right?.text) continue;
    const label = left?.label ?? right?.label ?? name;
    differences.push({ label, left, right });
  }
  return { differences, sameCount: names.size - differences.length };
}

/**
 * Write a value of a difference.
 *
 * @param {Value | undefined} value
 */
export function nameValue(value) {
  if (value === undefined) return "—";
  return value.text || "empty";
}
