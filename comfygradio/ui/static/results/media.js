// Pictures and videos of results.

/** @import { Result } from "./cell.js" */
/** @import { Media } from "./host.js" */

import { make } from "../library/elements.js";

/** Few videos play by themselves; of more than so many only the one under the pointer. */
const MAX_PLAYING = 12;

/** The videos that are seen, and how to begin each. @type {Map<HTMLVideoElement, () => void>} */
const begins = new Map();
/** @type {Set<HTMLVideoElement>} */
const inSight = new Set();

const watched = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!(target instanceof HTMLVideoElement)) continue;
      if (isIntersecting) inSight.add(target);
      else leaveSight(target);
    }
    playVideos();
  },
  { rootMargin: "-20px" },
);

/** Whether the person wants nothing to move by itself. */
export function isCalm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Play the videos that may play now, and pause the others. */
export function playVideos() {
  const isQuiet = inSight.size > MAX_PLAYING || isCalm();
  for (const video of inSight) {
    if (isQuiet && !video.matches(":hover")) video.pause();
    else begins.get(video)?.();
  }
}

/** @param {HTMLVideoElement} video */
function leaveSight(video) {
  inSight.delete(video);
  video.pause();
}

/**
 * Draw a video that plays while it is seen.
 *
 * @param {Result} result
 * @param {Media} media
 * @param {string} signClass of the sign on a still picture
 * @returns {HTMLElement[]}
 */
export function drawVideo(result, media, signClass) {
  const poster = media.findPoster(result);
  const video = make("video", { muted: true, loop: true, playsInline: true, preload: "metadata" });
  if (poster) {
    video.poster = poster;
    video.preload = "none";
  } else {
    video.src = `${media.findFile(result)}#t=0.05`;
  }

  function begin() {
    if (!video.src) video.src = media.findFile(result);
    if (video.paused) video.play().catch(() => {});
  }

  function showWhether() {
    video.parentElement?.toggleAttribute("data-playing", !video.paused);
  }

  begins.set(video, begin);
  video.addEventListener("play", showWhether);
  video.addEventListener("pause", showWhether);
  video.addEventListener("mouseenter", playVideos);
  video.addEventListener("mouseleave", playVideos);
  watched.observe(video);
  return poster ? [video, make("span", { className: signClass })] : [video];
}

/**
 * Let go of the videos in an element.
 *
 * @param {Element} root
 */
export function dropVideos(root) {
  for (const video of root.querySelectorAll("video")) {
    watched.unobserve(video);
    leaveSight(video);
    begins.delete(video);
    video.removeAttribute("src");
    video.load();
  }
}

/**
 * Draw a picture of a cell.
 *
 * @param {Result} result
 * @param {Media} media
 * @param {string} source
 * @param {boolean} isLater whether it is loaded only by `loadPictures`
 */
export function drawPicture(result, media, source, isLater) {
  const picture = make("img", { alt: "", decoding: "async", draggable: false });
  picture.addEventListener("error", () => media.mend(picture, result));
  if (isLater) picture.dataset.src = source;
  else picture.src = source;
  return picture;
}

/**
 * Load the pictures in an element that were not to be loaded before.
 *
 * @param {Element} root
 */
export function loadPictures(root) {
  /** @type {NodeListOf<HTMLImageElement>} */
  const pictures = root.querySelectorAll("img[data-src]");
  for (const picture of pictures) {
    picture.src = picture.dataset.src ?? "";
    picture.removeAttribute("data-src");
  }
}

/**
 * Let go of pictures that have not arrived, so that they are not fetched any more; `loadPictures`
 * loads them again.
 *
 * @param {Element} root
 */
export function dropPictures(root) {
  for (const picture of root.querySelectorAll("img")) {
    if (picture.complete) continue;
    picture.dataset.src = picture.src;
    picture.removeAttribute("src");
  }
}
