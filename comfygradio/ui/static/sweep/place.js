// Where in the sweeps one is: in the list of "all", in the editor of a "new" one, or in one of them,
// which its token names.

import { go } from "../page/navigation.js";

/** The place that the address names; null on any other page. */
export function readPlace() {
  if (document.documentElement.dataset.cgPage !== "sweep") return null;
  const place = new URL(location.href).searchParams.get("sweep") ?? "";
  return place === "" || place === "1" ? "all" : place;
}

/**
 * Go to a place.
 *
 * @param {string} place
 * @param {boolean} isSame whether it takes the place of the old one in the browser's history
 */
export function goTo(place, isSame = false) {
  go("sweep", place, {}, isSame);
}
