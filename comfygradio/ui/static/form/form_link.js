// Links that carry values of a form. Without the page: usable wherever JavaScript runs.

/**
 * Read what an address carries for a form.
 *
 * @param {string} search the query of the address
 * @param {string} preset
 * @param {string} landing the form of an address that names none
 * @returns {Record<string, string>} empty if the address is about another form
 */
export function readLink(search, preset, landing) {
  const parameters = new URLSearchParams(search);
  if ((parameters.get("preset") ?? landing) !== preset) return {};
  parameters.delete("preset");
  return Object.fromEntries(parameters);
}

/**
 * Take what is done with out of an address: else it would come into the form again.
 *
 * @param {string} address
 * @param {string[]} names
 */
export function cleanAddress(address, names) {
  const url = new URL(address);
  for (const name of names) url.searchParams.delete(name);
  return url.href;
}

/**
 * Write what is said of a link that was copied.
 *
 * @param {string[]} left the labels of the fields that it lacks
 */
export function nameCopied(left) {
  if (left.length === 0) return "The link is copied. It carries what differs from the defaults.";
  return `The link is copied, without ${left.join(", ")}: a link carries no files, and only values that fit.`;
}

/**
 * Write what is said once values are in a form.
 *
 * @param {string} what is in the form, as a sentence
 * @param {string[]} left the labels of the fields whose values it does not take
 */
export function nameBrought(what, left) {
  if (left.length === 0) return what;
  return `${what} No longer possible, and left out: ${left.join(", ")}.`.trim();
}

/**
 * Write what is said of settings that were saved.
 *
 * @param {string} name
 * @param {string[]} left the labels of the fields that they lack
 */
export function nameSaved(name, left) {
  if (left.length === 0) return `${name} is saved.`;
  return `${name} is saved, without ${left.join(", ")}: files and values that do not fit are left out.`;
}
