// How a picture is enlarged in its frame, and what is a swipe.

import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import {
  chooseFactor,
  enlarge,
  fit,
  keepInside,
  readSwipe,
  WHOLE,
} from "../../comfygradio/ui/static/looking/zoom.js";

const FRAME = { width: 400, height: 300 };

test("a picture is made to fit, and no small one is blown up", () => {
  deepEqual(fit({ width: 1600, height: 600 }, FRAME), { width: 400, height: 150 });
  deepEqual(fit({ width: 64, height: 32 }, FRAME), { width: 64, height: 32 });
});

test("what is under the pointer stays there", () => {
  const point = { x: 50, y: -20 };
  const larger = enlarge(WHOLE, 2, point);
  deepEqual(larger, { scale: 2, x: -50, y: 20 });
  const again = enlarge(larger, 2, point);
  // The point of the picture that was under the pointer at first.
  equal(again.x + 4 * 50, 50);
  equal(again.y + 4 * -20, -20);
});

test("it is never smaller than whole, nor endlessly large", () => {
  deepEqual(enlarge({ scale: 2, x: 30, y: 10 }, 0.1, { x: 5, y: 5 }), WHOLE);
  equal(enlarge(WHOLE, 1000, { x: 0, y: 0 }).scale, 8);
});

test("no edge comes further in than the frame's, and what is smaller stays in the middle", () => {
  const whole = { width: 400, height: 100 };
  const moved = keepInside({ scale: 2, x: 900, y: 70 }, whole, FRAME);
  deepEqual(moved, { scale: 2, x: 200, y: 0 });
  equal(keepInside({ scale: 2, x: -900, y: 0 }, whole, FRAME).x, -200);
});

test("a double tap shows the picture's own pixels, but at least twice its size", () => {
  equal(chooseFactor({ width: 1600, height: 600 }, { width: 400, height: 150 }), 4);
  equal(chooseFactor({ width: 500, height: 300 }, { width: 400, height: 240 }), 2);
  equal(chooseFactor({ width: 50_000, height: 10 }, { width: 400, height: 1 }), 8);
});

test("a swipe goes sideways, and far enough", () => {
  equal(readSwipe(-90, 10), 1);
  equal(readSwipe(90, -10), -1);
  equal(readSwipe(30, 0), 0);
  equal(readSwipe(90, 80), 0);
});
