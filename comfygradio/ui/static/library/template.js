// Finds the elements of a part's template.

/**
 * Find the element with this class; there is one.
 *
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {Element} root
 * @param {string} className
 * @param {new () => Kind} [kind] of element; any without it
 * @returns {Kind}
 */
export function find(root, className, kind) {
  const node = root.querySelector(`.${className}`);
  if (node instanceof (kind ?? HTMLElement)) return /** @type {Kind} */ (node);
  throw new Error(`The template has no ${className} of this kind.`);
}
