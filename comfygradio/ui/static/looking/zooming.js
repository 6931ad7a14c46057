// Enlarges the picture in a frame: by the wheel, two fingers, a double tap or click,
// and the keys + - 0. A swipe of one finger turns to another one.

/** @import { Point, Zoom } from "./zoom.js" */

import { link } from "../library/address.js";
import { chooseFactor, enlarge, fit, keepInside, readSwipe, WHOLE } from "./zoom.js";

/** How much a turn of the wheel enlarges. */
const WHEEL = 0.002;

const KEY_FACTOR = 1.5;

/** Two taps that are further apart are no double tap. */
const DOUBLE_MS = 350;

/** A finger that moves further has not tapped. */
const TAP_PIXELS = 10;

const MIDDLE = { x: 0, y: 0 };

/**
 * Mark a picture as one that can be enlarged.
 *
 * @param {HTMLImageElement} picture
 * @param {{ url: string, width: number | null, height: number | null }} result of the original
 */
export function markZoomed(picture, { url, width, height }) {
  picture.dataset.zooms = link(url);
  picture.dataset.width = String(width ?? "");
  picture.dataset.height = String(height ?? "");
}

/**
 * Follow what is done in the frame from now on.
 *
 * @param {HTMLElement} frame
 * @param {(by: number) => void} turn turns to another picture
 */
export function followZoom(frame, turn) {
  /** @type {Zoom} */
  let zoom = WHOLE;
  /** The fingers that touch, or the mouse that is pressed. @type {Map<number, Point>} */
  const pointers = new Map();
  /** Where the first of them came. */
  let start = MIDDLE;
  /** Whether there was a second one, or the picture was moved. */
  let isTaken = false;
  let tappedAt = Number.NEGATIVE_INFINITY;

  /**
   * Find the picture that can be enlarged. Its mark names the original.
   *
   * @returns {HTMLImageElement | null}
   */
  function findPicture() {
    return frame.querySelector("img[data-zooms]");
  }

  /** @param {HTMLImageElement} picture */
  function measure(picture) {
    const room = { width: frame.clientWidth, height: frame.clientHeight };
    const width = Number(picture.dataset.width) || picture.naturalWidth || room.width;
    const height = Number(picture.dataset.height) || picture.naturalHeight || room.height;
    return { room, picture: { width, height }, whole: fit({ width, height }, room) };
  }

  /** @param {Zoom} wanted */
  function apply(wanted) {
    const picture = findPicture();
    if (!picture) return;
    const { room, whole } = measure(picture);
    zoom = keepInside(wanted, whole, room);
    const { scale, x, y } = zoom;
    picture.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    frame.toggleAttribute("data-enlarged", scale > 1);
    if (scale > 1) showOriginal(picture);
  }

  /**
   * The copy that is shown first may have fewer pixels; it stays until the original is there.
   *
   * @param {HTMLImageElement} picture
   */
  function showOriginal(picture) {
    const original = picture.dataset.zooms ?? "";
    if (original && picture.src !== original) picture.src = original;
  }

  /** Show the whole of what is there now. */
  function reset() {
    pointers.clear();
    zoom = WHOLE;
    apply(WHOLE);
    frame.removeAttribute("data-enlarged");
  }

  /**
   * @param {MouseEvent} event
   * @returns {Point}
   */
  function locate(event) {
    const box = frame.getBoundingClientRect();
    return {
      x: event.clientX - box.left - box.width / 2,
      y: event.clientY - box.top - box.height / 2,
    };
  }

  /** @param {Point} point */
  function toggle(point) {
    const picture = findPicture();
    if (!picture) return;
    const { picture: size, whole } = measure(picture);
    apply(zoom.scale > 1 ? WHOLE : enlarge(WHOLE, chooseFactor(size, whole), point));
  }

  /** @param {Event} event */
  function isOfPicture(event) {
    const target = /** @type {Element} */ (event.target);
    return findPicture() !== null && !target.closest("button, input, video, audio");
  }

  /** @param {PointerEvent} event */
  function press(event) {
    if (!isOfPicture(event) || event.button > 0) return;
    const point = locate(event);
    if (pointers.size === 0) {
      start = point;
      isTaken = false;
    } else {
      isTaken = true;
    }
    pointers.set(event.pointerId, point);
    if (event.pointerType === "mouse") frame.setPointerCapture(event.pointerId);
  }

  /**
   * Enlarge as two fingers go apart.
   *
   * @param {Point} before
   * @param {Point} now
   * @param {Point} other the finger that rests
   */
  function pinch(before, now, other) {
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(now.x - other.x, now.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const larger = enlarge(zoom, is / Math.max(was, 1), middle);
    const x = larger.x + (now.x - before.x) / 2;
    const y = larger.y + (now.y - before.y) / 2;
    apply({ scale: larger.scale, x, y });
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = locate(event);
    pointers.set(event.pointerId, now);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      pinch(before, now, other);
    } else if (zoom.scale > 1) {
      if (Math.hypot(now.x - start.x, now.y - start.y) > TAP_PIXELS) isTaken = true;
      apply({ scale: zoom.scale, x: zoom.x + now.x - before.x, y: zoom.y + now.y - before.y });
    }
  }

  /** @param {PointerEvent} event */
  function release(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size > 0 || isTaken || event.type === "pointercancel") return;
    const end = locate(event);
    const maySwipe = zoom.scale === 1 && event.pointerType !== "mouse";
    const by = maySwipe ? readSwipe(end.x - start.x, end.y - start.y) : 0;
    if (by !== 0) turn(by);
    else if (Math.hypot(end.x - start.x, end.y - start.y) < TAP_PIXELS) tap(event, end);
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} point
   */
  function tap(event, point) {
    const isSecond = event.timeStamp - tappedAt < DOUBLE_MS;
    tappedAt = isSecond ? Number.NEGATIVE_INFINITY : event.timeStamp;
    if (isSecond) toggle(point);
  }

  /**
   * Enlarge or shrink by a key; false if it is another one.
   *
   * @param {string} key
   */
  function followKey(key) {
    if (key === "+" || key === "=") apply(enlarge(zoom, KEY_FACTOR, MIDDLE));
    else if (key === "-") apply(enlarge(zoom, 1 / KEY_FACTOR, MIDDLE));
    else if (key === "0") apply(WHOLE);
    else return false;
    return true;
  }

  frame.addEventListener("pointerdown", press);
  frame.addEventListener("pointermove", move);
  frame.addEventListener("pointerup", release);
  frame.addEventListener("pointercancel", release);
  frame.addEventListener(
    "wheel",
    (event) => {
      if (!isOfPicture(event)) return;
      event.preventDefault();
      apply(enlarge(zoom, Math.exp(-event.deltaY * WHEEL), locate(event)));
    },
    { passive: false },
  );
  return { reset, followKey };
}
