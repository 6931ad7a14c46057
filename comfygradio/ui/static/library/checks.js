// Checks what a browser has kept: an older page may have written it, or somebody's own script.

/**
 * Whether this is an object with named values.
 *
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether this is a list, of which each item passes a check.
 *
 * @param {unknown} value
 * @param {(item: any) => boolean} check
 * @returns {value is any[]}
 */
export function isListOf(value, check) {
  return Array.isArray(value) && value.every(check);
}
