// Pictures of models. Only those in view are loaded, two at once; a model without one shows the
// first letter of its name.

import { link } from "../library/address.js";
import { make } from "../library/elements.js";

/** @import { Model } from "./model_name.js" */

const AT_ONCE = 2;

/** What waits for its picture, the newest last. @type {Map<Element, string>} */
const waiting = new Map();

/** The address of each place that is not loaded yet. @type {WeakMap<Element, string>} */
const addresses = new WeakMap();

/** Addresses without a picture: they are not asked for again. @type {Set<string>} */
const absent = new Set();

let loading = 0;

/** @type {IntersectionObserver | undefined} */
let observer;

function loadNext() {
  if (loading >= AT_ONCE) return;
  const place = [...waiting.keys()].pop();
  if (!place) return;
  const address = waiting.get(place) ?? "";
  waiting.delete(place);
  observer?.unobserve(place);
  showPicture(place, address);
  loadNext();
}

/**
 * @param {Element} place
 * @param {string} address
 */
function showPicture(place, address) {
  if (absent.has(address)) return;
  loading += 1;
  const picture = make("img", { alt: "", decoding: "async", draggable: false });
  function end() {
    loading -= 1;
    loadNext();
  }
  picture.addEventListener("load", () => {
    place.replaceChildren(picture);
    end();
  });
  picture.addEventListener("error", () => {
    absent.add(address);
    end();
  });
  picture.src = address;
}

/** @param {IntersectionObserverEntry[]} entries */
function look(entries) {
  for (const { target, isIntersecting } of entries) {
    const address = addresses.get(target);
    if (isIntersecting && address) waiting.set(target, address);
    else waiting.delete(target);
  }
  loadNext();
}

/**
 * Draw the picture of a model.
 *
 * @param {string} place the preset and the field in addresses; "" if its pictures are not known
 * @param {Model} model
 */
export function drawThumbnail(place, { value, name }) {
  const letter = [...name.trim()][0]?.toUpperCase() ?? "";
  const box = make("span", { className: "cg-model-picture" });
  // A sign, and no part of the name.
  box.dataset.letter = letter;
  box.setAttribute("aria-hidden", "true");
  if (!place || !value) return box;
  const address = link(`gradio_api/comfygradio/model/${place}?name=${encodeURIComponent(value)}`);
  addresses.set(box, address);
  observer ??= new IntersectionObserver(look);
  observer.observe(box);
  return box;
}
