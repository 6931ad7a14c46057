// What a browser keeps of a page: for this "tab", or for "all" of its tabs.
//
// Storage may be off, and then its very name throws, or it may be full: then this remembers until
// the page is closed.

/** @typedef {"tab" | "all"} Where */

import { isRecord } from "./checks.js";

/** What no storage took. It is global, since `page/person_value.js` has this code for itself. */
const memory = globalThis.comfygradioMemory ?? new Map();
globalThis.comfygradioMemory = memory;

/** @param {Where} where */
function find(where) {
  return where === "tab" ? sessionStorage : localStorage;
}

/**
 * @param {Where} where
 * @param {string} key
 */
function name(where, key) {
  return `${where}/${key}`;
}

/**
 * Read a text; null if there is none.
 *
 * @param {Where} where
 * @param {string} key
 * @returns {string | null}
 */
export function readText(where, key) {
  const remembered = memory.get(name(where, key));
  if (remembered !== undefined) return remembered;
  try {
    return find(where).getItem(key);
  } catch {
    return null;
  }
}

/**
 * Keep a text.
 *
 * @param {Where} where
 * @param {string} key
 * @param {string} text
 */
export function keepText(where, key, text) {
  try {
    find(where).setItem(key, text);
    memory.delete(name(where, key));
  } catch {
    memory.set(name(where, key), text);
  }
}

/**
 * Forget what is kept.
 *
 * @param {Where} where
 * @param {string} key
 */
export function drop(where, key) {
  memory.delete(name(where, key));
  try {
    find(where).removeItem(key);
  } catch {
    // Nothing is there.
  }
}

/**
 * Read a value; the fallback if there is none, or one that cannot be read.
 *
 * @param {Where} where
 * @param {string} key
 * @param {any} fallback
 * @returns {any}
 */
export function read(where, key, fallback) {
  const text = readText(where, key);
  if (text === null) return fallback;
  try {
    return JSON.parse(text) ?? fallback;
  } catch {
    return fallback;
  }
}

/**
 * Read an object with named values; an empty one if there is none.
 *
 * @param {Where} where
 * @param {string} key
 * @returns {Record<string, any>}
 */
export function readRecord(where, key) {
  const value = read(where, key, {});
  return isRecord(value) ? value : {};
}

/**
 * Keep a value.
 *
 * @param {Where} where
 * @param {string} key
 * @param {any} value
 */
export function keep(where, key, value) {
  keepText(where, key, JSON.stringify(value));
}

/**
 * Whether what is kept here is still there when the page is loaded again.
 *
 * @param {Where} where
 */
export function isLasting(where) {
  const key = "comfygradio.probe";
  try {
    find(where).setItem(key, "1");
    find(where).removeItem(key);
    return true;
  } catch {
    return false;
  }
}
