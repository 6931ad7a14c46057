// Writes the figures of a ComfyUI server. Without the page: usable wherever JavaScript runs.

/** @typedef {{ name: string, used: number, total: number }} Device its memory in bytes */

/**
 * A server as the app describes it.
 *
 * @typedef {object} Server
 * @property {string} url
 * @property {boolean} up
 * @property {string} version
 * @property {string} trouble
 * @property {Device[]} devices
 * @property {number | null} remaining how many prompts are in its queue; null if nobody knows
 * @property {number} ours how many of them are the app's
 * @property {string[]} lacks
 */

/**
 * Write what is in the queue; "" if nobody knows.
 *
 * @param {Pick<Server, "remaining" | "ours">} server
 */
export function nameQueue({ remaining, ours }) {
  if (remaining === null) return "";
  if (remaining === 0) return "Queue: empty";
  return `Queue: ${ours} of ours, ${remaining} in all`;
}

/**
 * Write how much of its memory a device uses.
 *
 * @param {Pick<Device, "used" | "total">} device
 */
export function nameMemory({ used, total }) {
  return `${countGigabytes(used)} of ${countGigabytes(total)} GB used`;
}

/**
 * Count how many percent of its memory a device uses, as a whole number.
 *
 * @param {Pick<Device, "used" | "total">} device
 */
export function countPercent({ used, total }) {
  return Math.round((100 * used) / total);
}

/** @param {number} bytes */
function countGigabytes(bytes) {
  return (bytes / 2 ** 30).toFixed(1);
}
