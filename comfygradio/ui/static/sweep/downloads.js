// Downloads of a sweep: everything as the grid is laid out now.

/** @import { Desk } from "./sweep_page.js" */
/** @import { Layout } from "../results/layout.js" */

import { link } from "../library/address.js";
import { AWAY } from "../library/asking.js";
import { choose, make } from "../library/elements.js";

/** @type {[string, string][]} */
const FORMATS = [
  ["", "Download …"],
  ["png", "Contact sheet (PNG)"],
  ["webp", "Contact sheet (WebP)"],
  ["html", "Web page (HTML)"],
  ["csv", "Table (CSV)"],
  ["json", "Data (JSON)"],
  ["zip", "All files (ZIP)"],
];

/** After this time a browser has begun to save the file. */
const SAVED_MS = 10_000;

/**
 * @typedef {object} Downloaded
 * @property {string} token
 * @property {string} version
 * @property {Layout} layout
 */

/**
 * Draw the list of what can be downloaded.
 *
 * @param {Desk} desk
 * @param {() => Downloaded} getSweep
 */
export function drawDownloads(desk, getSweep) {
  const list = choose("cg-box cg-sweep-save", "Download", FORMATS, "", async (format) => {
    list.value = "";
    if (!format) return;
    list.disabled = true;
    await download(desk, getSweep(), format);
    list.disabled = false;
  });
  return list;
}

/**
 * @param {Desk} desk
 * @param {Downloaded} sweep
 * @param {string} format
 */
async function download({ asking, announce }, { token, version, layout }, format) {
  announce("One moment, the file is being made …");
  // The access is fresh after this.
  const ready = await asking.call("news", { token, since: version });
  if (ready.error) return;
  const body = new FormData();
  body.set("access", asking.getAccess() ?? "");
  body.set("token", token);
  body.set("format", format);
  body.set("layout", JSON.stringify(layout));
  try {
    const answer = await fetch(link("gradio_api/comfygradio/sweep"), { method: "POST", body });
    if (!answer.ok) {
      announce(await answer.text());
      return;
    }
    const disposition = answer.headers.get("content-disposition") ?? "";
    save(await answer.blob(), readName(disposition) ?? `sweep.${format}`);
    announce("");
  } catch {
    announce(AWAY);
  }
}

/**
 * Read the name of a file from an answer's Content-Disposition.
 *
 * @param {string} disposition
 */
export function readName(disposition) {
  const match = /filename\*=UTF-8''([^;]+)/.exec(disposition);
  return match ? decodeURIComponent(match[1]) : null;
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function save(content, name) {
  const href = URL.createObjectURL(content);
  const anchor = make("a", { href, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(href), SAVED_MS);
}
