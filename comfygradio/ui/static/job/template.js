// Finds the elements of a part's template.

/**
 * Find the element with this class; there is one.
 *
 * @param {Element} root
 * @param {string} name the class without "cg-"
 * @returns {HTMLElement}
 */
export function find(root, name) {
  /** @type {HTMLElement | null} */
  const node = root.querySelector(`.cg-${name}`);
  if (node === null) throw new Error(`The template has no element cg-${name}.`);
  return node;
}
