// The button that saves a preset, and what came of it.

import { link } from "../library/address.js";
import { drawAlert, make, press, say } from "../library/elements.js";

/** How long the new form may take to be added before its link is offered all the same. */
const ADDED_MS = 15_000;

const LOOK_MS = 500;

/**
 * What the bar shows.
 *
 * @typedef {object} SaveState
 * @property {string} [where] where the preset would go; without it there is nothing to save
 * @property {string} [name]
 * @property {boolean} [taken] whether there is a preset with this name
 * @property {boolean} [canSave]
 * @property {string} [refused] why it could not be saved
 * @property {string} [saved] the name as which it has just been saved
 */

/**
 * Make the bar.
 *
 * @param {(detail: { overwrite: boolean }) => void} save
 */
export function createSaveBar(save) {
  const root = make("div", { className: "cg-save-bar" });
  /** The names of the presets that were saved here: they are overwritten unasked. */
  const saved = new Set();
  /** The revision of the forms before the last save. */
  let before = "";
  /** What waits until the list of fields has sent its last changes. @type {(() => void) | null} */
  let waiting = null;

  async function readRevision() {
    try {
      const answer = await fetch(link("gradio_api/comfygradio/revision"));
      return await answer.text();
    } catch {
      return before;
    }
  }

  /**
   * Say that a preset is saved, and offer its form once that has been added.
   *
   * @param {string} name
   */
  function offer(name) {
    const text = `Saved as ${name}. The form is being added …`;
    const line = make("p", { className: "cg-saved", textContent: text });
    line.setAttribute("role", "status");
    const until = Date.now() + ADDED_MS;

    async function look() {
      const revision = await readRevision();
      if (revision === before && Date.now() < until) {
        setTimeout(look, LOOK_MS);
        return;
      }
      const open = make("a", {
        href: `?preset=${encodeURIComponent(name)}`,
        textContent: "Open the form",
      });
      line.replaceChildren(`Saved as ${name}. `, open);
    }

    look();
    return line;
  }

  /** @param {SaveState} state */
  function drawButtons({ where = "", name = "", taken = false, canSave = false }) {
    const overwrite = make("input", { type: "checkbox", className: "cg-tick" });
    overwrite.checked = saved.has(name);
    const button = press("cg-take", "Save preset", async () => {
      button.disabled = true;
      before = await readRevision();
      const detail = { isPending: false };
      const go = () => save({ overwrite: taken && overwrite.checked });
      window.dispatchEvent(new CustomEvent("comfygradio-flush", { detail }));
      if (detail.isPending) waiting = go;
      else go();
    });
    button.disabled = !canSave;
    root.append(say("cg-info", where));
    if (taken && canSave) {
      const text = `${name} exists already: overwrite it`;
      root.append(make("label", { className: "cg-drawn-tick" }, overwrite, text));
    }
    root.append(button);
  }

  /** @param {SaveState} state */
  function paint(state) {
    root.hidden = state.where === undefined;
    root.replaceChildren();
    if (state.refused) root.append(drawAlert(state.refused));
    if (state.saved) {
      saved.add(state.saved);
      root.append(offer(state.saved));
    } else {
      drawButtons(state);
    }
  }

  /** Save now, if that has been waiting. */
  function goOn() {
    const go = waiting;
    waiting = null;
    go?.();
  }

  return { root, paint, goOn };
}
