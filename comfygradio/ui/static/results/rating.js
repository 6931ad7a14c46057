// Ratings: one to five stars, rejected, or nothing. Without the page: usable wherever JavaScript
// runs.

import { isRecord } from "../library/checks.js";
import { plural } from "../library/words.js";

export const REJECTED = -1;
export const STARS = [1, 2, 3, 4, 5];

/**
 * Read ratings that were kept; whatever is none is left out.
 *
 * @param {unknown} kept
 */
export function readKeptRatings(kept) {
  /** @type {Record<number, number>} */
  const ratings = {};
  if (!isRecord(kept)) return ratings;
  for (const [at, rating] of Object.entries(kept)) {
    if ([REJECTED, 0, ...STARS].includes(rating)) ratings[Number(at)] = rating;
  }
  return ratings;
}

/**
 * Name a rating for those who do not see it.
 *
 * @param {number} rating
 */
export function nameRating(rating) {
  if (rating < 0) return "rejected";
  return rating ? plural(rating, "star") : "";
}

/**
 * Write a rating as a mark on a picture.
 *
 * @param {number} rating
 */
export function writeMark(rating) {
  return rating < 0 ? "Rejected" : "★".repeat(rating);
}

/**
 * Find the rating that a key gives: a digit, or "x", which rejects and takes that back; null for
 * any other key.
 *
 * @param {string} key
 * @param {number} now the rating before
 */
export function findRating(key, now) {
  if (/^[0-5]$/.test(key)) return Number(key);
  if (key !== "x") return null;
  return toggleRejected(now);
}

/** @param {number} now the rating before */
export function toggleRejected(now) {
  return now < 0 ? 0 : REJECTED;
}
