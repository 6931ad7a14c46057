// Draws while a grid is scrolled; what flies past is not loaded, since nobody sees it.

/** Pixels a millisecond; what is faster flies past. */
const FAST = 1.5;
const CALM_DOWN_MS = 120;

/**
 * Follow the scrolling from now on.
 *
 * @param {HTMLElement} root
 * @param {object} around
 * @param {() => number} around.readMoved reads how far it was scrolled since the last time, in pixels
 * @param {() => void} around.paint is called at most once a frame
 * @param {() => void} around.land loads what is seen, once it is seen long enough
 */
export function followScroll(root, { readMoved, paint, land }) {
  let isFlying = false;
  let isDue = false;
  let scrolledAt = 0;
  let landing = 0;

  /** @param {number} moved */
  function noteSpeed(moved) {
    const now = performance.now();
    isFlying = moved / Math.max(now - scrolledAt, 1) > FAST;
    scrolledAt = now;
    clearTimeout(landing);
    landing = setTimeout(() => {
      isFlying = false;
      land();
    }, CALM_DOWN_MS);
  }

  function paintSoon() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      paint();
      if (!isFlying) land();
    });
  }

  function follow() {
    const moved = readMoved();
    // A grid that has become smaller tells where it is now, which is drawn already.
    if (moved === 0) return;
    noteSpeed(moved);
    paintSoon();
  }

  root.addEventListener("scroll", follow, { passive: true });

  return { isFlying: () => isFlying };
}
