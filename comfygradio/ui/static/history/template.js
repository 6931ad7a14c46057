// Finds the elements of the page's template.

/**
 * Find the one with this class.
 *
 * @template {HTMLElement} Kind
 * @param {Element} root
 * @param {string} className
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(root, className, kind) {
  const node = root.querySelector(`.${className}`);
  if (node instanceof kind) return node;
  throw new Error(`The template has no ${className} of this kind.`);
}
