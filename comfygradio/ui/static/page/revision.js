// Says when the forms have changed since this page was loaded.

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { takeAllTexts } from "./typed_texts.js";

const EVERY_MS = 4000;

/**
 * Say what has changed, with a button that loads the page again.
 *
 * @param {string} text
 * @param {string} action
 */
function announce(text, action) {
  if (document.getElementById("cg-changed")) return;
  const again = press("", action, () => {
    takeAllTexts();
    location.reload();
  });
  const bar = make("div", { id: "cg-changed" }, `${text} What you typed is kept. `, again);
  bar.setAttribute("role", "status");
  document.body.append(bar);
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll(".cg-generate");
  for (const button of buttons) button.disabled = true;
}

async function look() {
  const mark = document.getElementById("cg-revision");
  if (document.hidden || !mark) return;
  try {
    const answer = await fetch(link("gradio_api/comfygradio/revision"));
    if (answer.status === 401) {
      announce("You are no longer logged in.", "Log in");
      return;
    }
    if (!answer.ok) return;
    const revision = await answer.text();
    if (revision !== mark.dataset.revision) announce("The forms have changed.", "Reload");
  } catch {
    // The app is away for a moment.
  }
}

/** Look from now on, while the page is seen. */
export function watchRevision() {
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
