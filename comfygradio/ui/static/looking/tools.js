// What shows results large and what can be done with them. Its scripts are no part of the first
// view: they come once the page has come to rest, or with the first press that needs them.

/** @import { Part } from "../library/part.js" */

/**
 * What a job tells of itself, here and in the history.
 *
 * @typedef {object} Shown
 * @property {string} token
 * @property {string} title of its form
 * @property {string} text that sums it up, usually the prompt; "" if there is none
 * @property {ShownResult[]} results
 */

/**
 * @typedef {object} ShownResult
 * @property {string} kind "image", "video", "audio", "text" or another
 * @property {string} name of the file
 * @property {string} url the address of the original; "" if there is none
 * @property {string} display the address of the copy to show
 * @property {number | null} width in pixels
 * @property {number | null} height
 */

/**
 * @typedef {object} Tools
 * @property {(job: Shown, place: number) => void} look shows a result of a job large
 * @property {(job: Shown, place: number, button: HTMLElement, isAlone: boolean) => void} offer shows
 *   what else can be done with a result, beside the button that was pressed
 * @property {() => void} refresh looks for what was made last
 */

/** How long after the page has come to rest the scripts are loaded, at the latest. */
const REST_MS = 4000;

/** @type {Tools | null} */
let tools = null;
/** What is to be done once the tools are there. @type {((tools: Tools) => void)[]} */
let waiting = [];
/** Loads the tools. */
let begin = () => {};

/**
 * Do something with the tools, now or as soon as they are there.
 *
 * @param {(tools: Tools) => void} action
 */
export function useTools(action) {
  if (tools) {
    action(tools);
    return;
  }
  waiting.push(action);
  begin();
}

/** Tell the tools, if they are there, that something new was made. */
export function tellMade() {
  tools?.refresh();
}

/**
 * Give the tools to whoever waits for them, and comes later.
 *
 * @param {Tools} given
 */
export function giveTools(given) {
  tools = given;
  for (const action of waiting) action(given);
  waiting = [];
}

/** @param {() => void} action */
function afterRest(action) {
  function rest() {
    // Not every browser tells when it has nothing to do.
    if ("requestIdleCallback" in window) requestIdleCallback(action, { timeout: REST_MS });
    else setTimeout(action, REST_MS / 2);
  }

  if (document.readyState === "complete") rest();
  else window.addEventListener("load", rest, { once: true });
}

/**
 * Mount the part that has the tools, later.
 *
 * @param {() => Promise<{ mount: (part: Part) => void }>} load imports the part's module
 * @param {Part} part
 */
export function mountLater(load, part) {
  let isBegun = false;

  begin = async () => {
    if (isBegun) return;
    isBegun = true;
    try {
      const module = await load();
      module.mount(part);
    } catch (error) {
      // The page has said that a part of it could not be loaded; the next press tries again.
      isBegun = false;
      waiting = [];
      throw error;
    }
  };
  afterRest(() => begin());
}
