// The secret of an operator's page, without which the app tells nothing about the servers.

/** @import { Part } from "../library/part.js" */

import { reveal } from "../page/navigation.js";

/** The secret; "" on the pages of everybody else. */
let token = "";

/** What the Servers page needs to know: the secret, and whether it is the page that is shown. */
export function readAccess() {
  const isShown = document.documentElement.dataset.cgPage === "status";
  return { token, isOpen: token !== "" && isShown };
}

function tell() {
  window.dispatchEvent(new CustomEvent("comfygradio-status", { detail: readAccess() }));
}

/**
 * Take the secret that comes as the value, and show operators the way to their page.
 *
 * @param {Part} part
 */
export function mount({ props, watch }) {
  function take() {
    token = props.value?.token ?? "";
    if (token) reveal("status");
    tell();
  }

  window.addEventListener("comfygradio-page", tell);
  watch("value", take);
  take();
}
