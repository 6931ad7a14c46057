// The settings of a form that somebody saved under a name: a list, and a box to save the present ones.

import { make, press, say } from "../library/elements.js";

/** What the app takes, too. */
const MAX_NAME = 60;

/**
 * Make the list; it is hidden at first.
 *
 * @param {object} actions
 * @param {(name: string) => void} actions.use
 * @param {(name: string) => void} actions.remove
 * @param {(name: string) => void} actions.save
 */
export function createSavedSettings({ use, remove, save }) {
  const rows = make("div", { className: "cg-tools-names" });
  const box = make("input", { type: "text", maxLength: MAX_NAME, placeholder: "A name" });
  box.setAttribute("aria-label", "A name for the present settings");
  const element = make("form", { className: "cg-tools-saved", hidden: true }, rows, box);
  const button = make("button", { type: "submit", className: "cg-small", textContent: "Save" });
  element.append(button);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = box.value.trim();
    if (name) save(name);
    else box.focus();
  });

  /** @param {string} name */
  function drawRow(name) {
    return make(
      "div",
      { className: "cg-tools-name" },
      press("cg-small", name, () => use(name), { title: "Put these settings into the form" }),
      press("cg-small cg-remove", "×", () => remove(name), { label: `Delete ${name}` }),
    );
  }

  /** @param {string[]} names */
  function paint(names) {
    const nothing = say("cg-info", "Nothing is saved yet.");
    rows.replaceChildren(...(names.length ? names.map(drawRow) : [nothing]));
  }

  paint([]);
  return {
    element,
    paint,
    clear: () => {
      box.value = "";
    },
  };
}
