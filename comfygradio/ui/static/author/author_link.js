// Shows authors the link to their page.

/** @import { Part } from "../library/part.js" */

import { reveal } from "../page/navigation.js";

/**
 * Show the link if the value says that this is an author.
 *
 * @param {Part} part
 */
export function mount({ props, watch }) {
  function take() {
    if (props.value?.author) reveal("new");
  }

  watch("value", take);
  take();
}
