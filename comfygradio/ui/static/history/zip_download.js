// Downloads the files of several jobs as one zip file.

/** @import { Desk } from "./desk.js" */

import { link } from "../library/address.js";
import { make } from "../library/elements.js";

const MAX_JOBS = 500;

/**
 * Send a form by which the browser downloads the file: a link could not say so much.
 *
 * @param {string} access
 * @param {string[]} tokens
 */
function submit(access, tokens) {
  const jobs = tokens.map((token) => make("input", { type: "hidden", name: "job", value: token }));
  const form = make(
    "form",
    { method: "post", action: link("gradio_api/comfygradio/history.zip"), hidden: true },
    make("input", { type: "hidden", name: "access", value: access }),
    ...jobs,
  );
  document.body.append(form);
  form.submit();
  form.remove();
}

/**
 * Download the files of those jobs that have any.
 *
 * @param {Desk} desk
 * @param {string[]} tokens
 */
export async function downloadZip({ asking, gallery, say }, tokens) {
  const full = tokens.filter((token) => gallery.find(token)?.results.some((result) => result.url));
  if (full.length === 0) {
    say("There are no files among these.");
    return;
  }
  if (full.length > MAX_JOBS) {
    say(`Up to ${MAX_JOBS} can be downloaded at once.`);
    return;
  }
  // Makes sure that the app knows the page: a form is not sent again.
  const ready = await asking.call("look", { tokens: [] });
  if (!ready.error) submit(asking.getAccess() ?? "", full);
}
