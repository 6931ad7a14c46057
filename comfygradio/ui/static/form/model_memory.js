// What a browser keeps of models: those that were chosen last, and favourites. All forms share it.

import { isListOf, isRecord } from "../library/checks.js";
import * as storage from "../library/storage.js";

const KEY = "comfygradio.models";

const MAX_RECENT = 6;
const MAX_FAVOURITES = 60;
const MAX_NAME = 1000;

/** @typedef {{ recent: string[], favourites: string[] }} Memory */

/** @param {unknown} item */
function isName(item) {
  return typeof item === "string" && item !== "" && item.length <= MAX_NAME;
}

/**
 * @param {unknown} list
 * @param {number} most
 * @returns {string[]}
 */
function readNames(list, most) {
  return isListOf(list, isName) ? [...new Set(list)].slice(0, most) : [];
}

/**
 * Read what is kept of the models of a folder, the newest first.
 *
 * @param {string} folder
 * @returns {Memory}
 */
export function readMemory(folder) {
  const kept = storage.readRecord("all", KEY)[folder];
  const memory = isRecord(kept) ? kept : {};
  return {
    recent: readNames(memory.recent, MAX_RECENT),
    favourites: readNames(memory.favourites, MAX_FAVOURITES),
  };
}

/**
 * @param {string} folder
 * @param {Memory} memory
 */
function keep(folder, memory) {
  const all = storage.readRecord("all", KEY);
  storage.keep("all", KEY, { ...all, [folder]: memory });
}

/**
 * Note that a model was chosen.
 *
 * @param {string} folder
 * @param {string} name
 */
export function noteRecent(folder, name) {
  if (!isName(name)) return;
  const memory = readMemory(folder);
  const others = memory.recent.filter((other) => other !== name);
  keep(folder, { ...memory, recent: [name, ...others].slice(0, MAX_RECENT) });
}

/**
 * Make a model a favourite, or no longer.
 *
 * @param {string} folder
 * @param {string} name
 * @returns {boolean} whether it is one now
 */
export function toggleFavourite(folder, name) {
  const memory = readMemory(folder);
  const others = memory.favourites.filter((other) => other !== name);
  const isFavourite = isName(name) && others.length === memory.favourites.length;
  const favourites = isFavourite ? [name, ...others].slice(0, MAX_FAVOURITES) : others;
  keep(folder, { ...memory, favourites });
  return isFavourite;
}
