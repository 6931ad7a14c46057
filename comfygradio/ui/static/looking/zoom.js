// How a picture is enlarged in its frame. Without the page: usable wherever JavaScript runs.
//
// A zoom says by how much the picture is enlarged, and how far its middle lies from that of the
// frame, in pixels of the screen.

/** @typedef {{ scale: number, x: number, y: number }} Zoom */
/** @typedef {{ x: number, y: number }} Point from the middle of the frame */
/** @typedef {{ width: number, height: number }} Size */

/** @type {Zoom} */
export const WHOLE = { scale: 1, x: 0, y: 0 };

const MAX_SCALE = 8;

/**
 * Find the size of the whole picture in the frame: never larger than it is.
 *
 * @param {Size} picture
 * @param {Size} frame
 * @returns {Size}
 */
export function fit(picture, frame) {
  const factor = Math.min(frame.width / picture.width, frame.height / picture.height, 1);
  return { width: picture.width * factor, height: picture.height * factor };
}

/**
 * @param {number} offset
 * @param {number} length of the enlarged picture
 * @param {number} room of the frame
 */
function limit(offset, length, room) {
  const most = Math.max((length - room) / 2, 0);
  return Math.min(Math.max(offset, -most), most);
}

/**
 * Keep the picture in the frame: no edge of it comes further in than that of the frame, and what is
 * smaller stays in the middle.
 *
 * @param {Zoom} zoom
 * @param {Size} whole the size of the whole picture
 * @param {Size} frame
 * @returns {Zoom}
 */
export function keepInside({ scale, x, y }, whole, frame) {
  return {
    scale,
    x: limit(x, whole.width * scale, frame.width),
    y: limit(y, whole.height * scale, frame.height),
  };
}

/**
 * Enlarge by a factor; what is at the point stays there.
 *
 * @param {Zoom} zoom
 * @param {number} factor
 * @param {Point} point
 * @returns {Zoom}
 */
export function enlarge(zoom, factor, point) {
  const scale = Math.min(Math.max(zoom.scale * factor, 1), MAX_SCALE);
  if (scale === 1) return WHOLE;
  const ratio = scale / zoom.scale;
  return {
    scale,
    x: point.x - (point.x - zoom.x) * ratio,
    y: point.y - (point.y - zoom.y) * ratio,
  };
}

/**
 * Choose by how much a double tap enlarges: to the pixels of the picture, but at least double.
 *
 * @param {Size} picture
 * @param {Size} whole
 */
export function chooseFactor(picture, whole) {
  return Math.min(Math.max(picture.width / whole.width, 2), MAX_SCALE);
}

/** Less than that is no swipe. */
const SWIPE_PIXELS = 48;

/**
 * Find by how many places a swipe turns on: 1 to the left, -1 to the right, 0 for none.
 *
 * @param {number} x
 * @param {number} y
 */
export function readSwipe(x, y) {
  const isSideways = Math.abs(x) > SWIPE_PIXELS && Math.abs(x) > 1.5 * Math.abs(y);
  if (!isSideways) return 0;
  return x < 0 ? 1 : -1;
}
