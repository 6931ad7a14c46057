// Says how the fields of a form are drawn. Without the page: usable wherever JavaScript runs.

/**
 * A field as the app describes it.
 *
 * @typedef {object} PreviewField
 * @property {string} name
 * @property {string} label
 * @property {string} help
 * @property {string} placeholder
 * @property {string} group
 * @property {boolean} advanced
 * @property {string} widget
 * @property {any} value
 * @property {string[] | null} choices
 * @property {number} more how many further choices there are
 * @property {string} low
 * @property {string} high
 * @property {string} step
 * @property {boolean} optional
 * @property {string} when the condition while which it is shown
 */

/**
 * The text below the label of a field; "" if there is none.
 *
 * @param {PreviewField} field
 */
export function describeField({ help, when }) {
  const condition = when ? `Only while ${when}.` : "";
  if (!help || !condition) return help || condition;
  return `${help} ${condition}`;
}

/**
 * Sort fields by their groups: first those without one, then each group.
 *
 * @param {PreviewField[]} fields
 * @returns {{ group: string, members: PreviewField[] }[]} the group "" is always there
 */
export function groupFields(fields) {
  const names = new Set(["", ...fields.map((field) => field.group)]);
  return [...names].map((group) => {
    return { group, members: fields.filter((field) => field.group === group) };
  });
}
