// The pages beside the forms. Most people never open them, so a browser loads the modules of each
// only when it is needed.

/** @import { Part } from "../library/part.js" */

import { AWAY } from "../library/asking.js";
import { say } from "../library/elements.js";

/**
 * Mount a part of a further page when that page is first shown, or when the part first gets a value.
 *
 * @param {string} name the page's name in addresses
 * @param {() => Promise<{ mount: (part: Part) => void }>} load imports the part's module
 * @param {Part} part
 */
export function mountWhenNeeded(name, load, part) {
  const { element, watch } = part;
  const complaint = say("cg-note", AWAY);
  let isBegun = false;

  async function begin() {
    if (isBegun) return;
    isBegun = true;
    complaint.remove();
    let module;
    try {
      module = await load();
    } catch (error) {
      // The next one who comes to the page tries again.
      isBegun = false;
      element.append(complaint);
      throw error;
    }
    module.mount(part);
  }

  function arrive() {
    if (document.documentElement.dataset.cgPage === name) begin();
  }

  window.addEventListener("comfygradio-page", arrive);
  watch("value", begin);
  arrive();
}
