// The files of an exported sweep: small pictures are in the page, large ones in the page too or in
// files beside it.

/** @import { Result } from "../results/cell.js" */
/** @import { Media } from "../results/host.js" */

import { make } from "../library/elements.js";

/**
 * Read a result of a cell.
 *
 * @param {any} described
 * @returns {Result}
 */
export function readResult(described) {
  const hasFile = described.u !== undefined || described.f !== undefined;
  return {
    kind: described.n,
    text: described.s ?? "",
    problem: described.x ?? "",
    name: described.b ?? "",
    width: described.w ?? 0,
    height: described.h ?? 0,
    isThere: hasFile || described.t !== undefined || Boolean(described.s),
    source: described,
  };
}

/**
 * Whether only a small picture of a result is in the page.
 *
 * @param {Result} result
 * @param {Media} media
 */
export function isOnlySmall(result, media) {
  const isSeen = result.kind === "image" || result.kind === "video";
  return isSeen && media.findFile(result) === "" && media.findPoster(result) !== "";
}

/**
 * Find the files that are in the page or beside it.
 *
 * @param {number} thumbPixels the longest side of the small pictures
 * @param {string} quietClass of what stands for a picture that has gone
 * @returns {Media}
 */
export function createEmbeddedMedia(thumbPixels, quietClass) {
  /** Number of a file in the page → its address. @type {Map<number, string>} */
  const addresses = new Map();

  /** @param {string} id */
  function readText(id) {
    return document.getElementById(id)?.textContent ?? "";
  }

  /** @param {Result} result */
  function findThumb({ source }) {
    return source.t === undefined ? "" : readText(`t${source.t}`);
  }

  /** @param {Result} result */
  function findFile({ source }) {
    if (source.u) return source.u;
    if (source.f === undefined) return "";
    const known = addresses.get(source.f);
    if (known) return known;
    const content = readText(`f${source.f}`);
    if (!content) return "";
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const address = URL.createObjectURL(new Blob([bytes], { type: source.m }));
    addresses.set(source.f, address);
    return address;
  }

  return {
    findFile,
    findLarge: (result) => findFile(result) || findThumb(result),
    findSmall: (result, pixels) => {
      // What moves would stand still in a small picture.
      const isWhole = pixels > thumbPixels * 1.5 || result.source.a;
      const thumb = findThumb(result);
      return (isWhole || !thumb ? findFile(result) : "") || thumb;
    },
    findPoster: findThumb,
    mend: (picture, result) => {
      const thumb = findThumb(result);
      if (thumb && picture.src !== thumb) {
        picture.src = thumb;
        return;
      }
      const text = "This file has gone.";
      picture.replaceWith(make("span", { className: quietClass, textContent: text }));
    },
  };
}
