// The line of a form that shows a model; pressed, it opens the dialog in which another is chosen.

/** @import { Model } from "./model_name.js" */
/** @import { ModelSource } from "./model_source.js" */

import { make } from "../library/elements.js";
import { drawThumbnail } from "./model_thumbnail.js";

/** @typedef {typeof import("./model_dialog.js")} DialogModule */

/**
 * @typedef {object} ModelLine
 * @property {HTMLButtonElement} root
 * @property {(model: Model) => void} show
 */

/** Load the dialog, which most visits do not need. */
function importDialog() {
  return /** @type {Promise<DialogModule>} */ (
    comfygradioImport("pickers.js", "form/model_dialog.js")
  );
}

/**
 * Open the dialog of models.
 *
 * @param {ModelSource} source
 * @param {object} options
 * @param {string} options.title
 * @param {any} options.value the model that is chosen now
 * @param {(model: Model) => void} options.pick
 */
export async function openModels(source, options) {
  const module = await importDialog();
  module.openModelDialog(source, options);
}

/**
 * Make a line.
 *
 * @param {ModelSource} source
 * @param {object} options
 * @param {string} options.label
 * @param {Model} options.model
 * @param {(model: Model) => void} options.pick
 * @returns {ModelLine}
 */
export function createModelLine(source, { label, model, pick }) {
  let shown = model;
  const root = make("button", { type: "button", className: "cg-model" });
  root.setAttribute("aria-haspopup", "dialog");

  function paint() {
    const name = shown.name || source.empty;
    const folder = shown.folder ? `, ${shown.folder}` : "";
    root.setAttribute("aria-label", `${label}: ${name}${folder}`);
    root.title = String(shown.value ?? "");
    const words = make(
      "span",
      { className: "cg-model-words" },
      make("span", { className: "cg-model-name", textContent: name }),
    );
    if (shown.folder) {
      words.append(" ", make("span", { className: "cg-model-folder", textContent: shown.folder }));
    }
    root.replaceChildren(drawThumbnail(source.place, shown), words);
  }

  /** @param {Model} next */
  function show(next) {
    shown = next;
    paint();
  }

  /** Have the dialog and the server ready when they are needed. */
  function prepare() {
    root.removeEventListener("pointerenter", prepare);
    root.removeEventListener("focus", prepare);
    importDialog().catch(() => {});
    source.recall([]).catch(() => {});
  }

  root.addEventListener("pointerenter", prepare);
  root.addEventListener("focus", prepare);
  root.addEventListener("click", () => {
    openModels(source, {
      title: label,
      value: shown.value,
      pick: (next) => {
        show(next);
        pick(next);
      },
    });
  });
  paint();
  return { root, show };
}
