// An axis of the draft: one field, or several that change together.

/** @import { Draft, Entry } from "./draft.js" */
/** @import { About } from "./editor.js" */
/** @import { Told } from "./entry_row.js" */
/** @import { Desk } from "./sweep_page.js" */

import { make, press } from "../library/elements.js";
import { listFree, makeEntry } from "./draft.js";
import { createEntryRow } from "./entry_row.js";

/**
 * What the cards of a draft share.
 *
 * @typedef {object} Bench
 * @property {Draft} draft
 * @property {About} about
 * @property {Desk} desk
 * @property {(file: File) => Promise<{ path: string }>} upload
 * @property {(wait?: number) => void} study asks what the draft comes to
 * @property {(axis: Entry[]) => void} dropAxis is called after an axis has lost an entry
 */

/**
 * Make the card of an axis.
 *
 * @param {Entry[]} axis
 * @param {Bench} bench
 */
export function createAxisCard(axis, bench) {
  const { draft, about, study, dropAxis } = bench;
  const more = press("cg-sweep-plain", "Change a second setting in step", () => {
    const entry = makeEntry();
    const row = createRow(entry);
    axis.push(entry);
    rows.push(row);
    more.before(row.root);
    study();
    row.focus();
  });
  const rows = axis.map(createRow);
  const roots = rows.map((row) => row.root);
  const root = make("article", { className: "cg-sweep-axis" }, ...roots, more);

  /** @param {Entry} entry */
  function createRow(entry) {
    return createEntryRow(entry, bench, () => drop(entry));
  }

  /** @param {Entry} entry */
  function drop(entry) {
    const at = axis.indexOf(entry);
    axis.splice(at, 1);
    rows.splice(at, 1)[0].root.remove();
    dropAxis(axis);
  }

  /** @param {boolean} isFull whether all fields are there already */
  function paint(isFull) {
    axis.forEach((entry, at) => {
      const row = rows[at];
      row.paint(listFree(about.fields, draft.axes, entry));
      row.root.classList.toggle("cg-sweep-linked", at > 0);
    });
    more.hidden = !axis[0].field || isFull;
  }

  /** @param {Told[]} told what the app says about each entry */
  function take(told) {
    rows.forEach((row, at) => {
      row.take(told[at] ?? {});
    });
  }

  return { root, paint, take, focus: (/** @type {number} */ at) => rows[at].focus() };
}
