// The fields of forms that take a picture, and what puts a result into one of them.

import { choose, press } from "./elements.js";

/** @typedef {{ preset: string, field: string, label: string }} Target */

/** Read the fields that take a picture, as the page names them. */
export function readTargets() {
  const written = document.getElementById("cg-revision")?.dataset.targets ?? "[]";
  /** @type {Target[]} */
  const targets = JSON.parse(written);
  return targets;
}

/**
 * Draw what puts a picture into one of these fields: a button for a single one, else a list.
 *
 * @param {Target[]} targets
 * @param {(target: Target) => void} action
 */
export function drawTargets(targets, action) {
  if (targets.length === 1) {
    return press("cg-small", `Use in ${targets[0].label}`, () => action(targets[0]));
  }
  /** @type {[string | number, string][]} */
  const options = targets.map((target, index) => [index, target.label]);
  const label = "Use this picture in a form";
  const list = choose("cg-box cg-targets", label, [["", "Use in …"], ...options], "", (value) => {
    // The same form can be chosen again.
    list.value = "";
    if (value) action(targets[Number(value)]);
  });
  return list;
}
