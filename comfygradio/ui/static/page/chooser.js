// Changes forms, and keeps the address, the chooser and the form that is seen together.
//
// Gradio mounts a form when it is first chosen, and never hides it: what it reveals it sets once
// more some frames later (6.31), over what was chosen or typed meanwhile. Which of the forms is
// seen is a line of style.

import { keepChoiceInView } from "./chooser_line.js";

/** The inputs of the chooser where it is a row of buttons; many forms are a list instead. */
const PICKS = "#cg-chooser input[type=radio]";

const FOCUS_MS = 40;
const FOCUS_TRIES = 50;

/** An update of a block of Gradio's; undefined leaves it as it is. */
/** @typedef {{ visible: true, __type__: "update" } | undefined} Update */

/** Hides all forms but the one that is seen. */
const style = document.createElement("style");

/** The forms that Gradio has mounted, besides the landing one. @type {Set<string>} */
const mounted = new Set();

/** The form that the address named last. @type {string | null} */
let addressed = null;

/** @param {string | null | undefined} name */
function findPick(name) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const picks = document.querySelectorAll(PICKS);
  return [...picks].find((pick) => pick.value === name);
}

function readAddress() {
  return new URL(location.href).searchParams.get("preset");
}

/**
 * The form of an address that names none. It stands in the page, since one may go back before
 * Gradio calls `openAddressed`.
 */
function readLanding() {
  return document.getElementById("cg-revision")?.dataset.landing;
}

/** @param {string} name */
function select(name) {
  return `#cg-panel-${CSS.escape(name)}`;
}

/** @param {string} name */
function show(name) {
  style.textContent = `.cg-panel:not(${select(name)}) { display: none !important; }`;
}

/**
 * Show a form that was chosen.
 *
 * @param {string} name
 * @param {string[]} names of the forms whose blocks are updated: the column, and what is shown later
 * @returns {Update[]} the updates of these blocks
 */
export function showForm(name, names) {
  const isNew = name !== readLanding() && !mounted.has(name);
  mounted.add(name);
  show(name);
  return names.map((one) => {
    if (isNew && one === name) return { visible: true, __type__: "update" };
    return undefined;
  });
}

/**
 * Show the form that the address names.
 *
 * @param {string[]} names of the forms whose blocks are updated
 * @returns {(string | Update)[]} its name and the updates of the blocks; nothing if it names none
 */
export function openAddressed(names) {
  const name = readAddress();
  if (name === null || !names.includes(name)) return [];
  return [name, ...showForm(name, names)];
}

/**
 * Put the name of a form that was chosen into the address.
 *
 * @param {string} name
 */
export function address(name) {
  const url = new URL(location.href);
  if ((url.searchParams.get("preset") ?? readLanding()) === name) return;
  url.searchParams.set("preset", name);
  history.pushState({}, "", url);
}

/**
 * Choose a form that is mounted.
 *
 * @param {string} name
 * @param {() => void} tellAddress lets Gradio open the form that the address names, which is the one
 *   way to choose in a list
 */
export function choose(name, tellAddress) {
  const pick = findPick(name);
  if (pick) {
    if (!pick.checked) pick.click();
    return;
  }
  address(name);
  tellAddress();
}

/**
 * Come to a form from another page, with the keyboard at its button.
 *
 * @param {string} name
 */
export function enter(name) {
  show(name);
  focusLater(name, FOCUS_TRIES);
}

/**
 * Give the keyboard to the button of a form: later, since a dialog is open now, and the form may
 * not be mounted.
 *
 * @param {string} name
 * @param {number} tries
 */
function focusLater(name, tries) {
  setTimeout(() => {
    /** @type {HTMLElement | null} */
    const button = document.querySelector(`${select(name)} .cg-generate`);
    if (button) button.focus({ preventScroll: true });
    else if (tries > 0) focusLater(name, tries - 1);
  }, FOCUS_MS);
}

/** Choose the form that an address names to which one has gone back or forward. */
function follow() {
  const wanted = readAddress() ?? readLanding();
  const isOther = wanted !== (addressed ?? readLanding());
  addressed = readAddress();
  const pick = findPick(wanted);
  if (pick && !pick.checked) pick.click();
  else if (!pick && isOther) location.reload();
}

/** Note each address that a script of the page sets. */
function notePushes() {
  const push = history.pushState.bind(history);
  history.pushState = (...all) => {
    push(...all);
    addressed = readAddress();
  };
}

/** Address the form that was chosen before this script was there, if one was. */
function addressEarlyChoice() {
  if (addressed !== null) return;
  /** @type {HTMLInputElement | null} */
  const pick = document.querySelector(`${PICKS}:checked`);
  if (pick) address(pick.value);
}

/** Follow the chooser and the address from now on. */
export function followChooser() {
  document.head.append(style);
  addressed = readAddress();
  notePushes();
  addressEarlyChoice();
  window.addEventListener("popstate", follow);
  // At once: Gradio tells of a choice some frames later, and who goes back before that would leave
  // the page.
  document.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement && target.matches(PICKS)) address(target.value);
  });
  keepChoiceInView();
}
