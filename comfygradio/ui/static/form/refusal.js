// What was refused of a form. Without the page: usable wherever JavaScript runs.

/**
 * The value of the note above Generate.
 *
 * @typedef {object} Refusal
 * @property {string[]} lines what to say above the button
 * @property {[string, string][]} fields the id of each wrong field's element, and what is wrong; in
 *   the order of their lines
 * @property {boolean} late whether it did not come in answer to a click
 */

/**
 * Complete what Python said.
 *
 * @param {Partial<Refusal> | null | undefined} value
 * @returns {Refusal}
 */
export function readRefusal(value) {
  const { lines = [], fields = [], late = false } = value ?? {};
  return { lines, fields, late };
}

/**
 * What is left of a refusal once a field has changed; the same one if it says nothing of the field.
 *
 * @param {Refusal} refusal
 * @param {string} id of the field's element
 * @returns {Refusal}
 */
export function forgetField(refusal, id) {
  const place = refusal.fields.findIndex(([one]) => one === id);
  if (place === -1) return refusal;
  // The lines have the order of the fields.
  const lines = refusal.lines.filter((_, index) => index !== place);
  const fields = refusal.fields.filter((_, index) => index !== place);
  return { lines, fields, late: refusal.late };
}
