// A list whose entries are written into the prompt above it.

/** @import { Part } from "../library/part.js" */

import { createCombobox } from "../library/combobox.js";
import { typeInto } from "../library/elements.js";
import { insertWord } from "./inserted_word.js";

const LABEL = "Add a style word";

/** @param {Part} part */
export function mount({ element, props, server }) {
  /** @param {string} name */
  function insert(name) {
    /** @type {HTMLTextAreaElement | null} */
    const field = document.querySelector(`#${CSS.escape(props.field)} textarea`);
    if (!field) return;
    typeInto(field, insertWord(field.value, field.selectionEnd, `embedding:${name}`));
  }

  const box = createCombobox({
    label: LABEL,
    shown: "",
    total: 0,
    search: (query) => server.search([query]),
    pick: (name) => {
      insert(name);
      box.show("");
      box.input.value = "";
    },
  });
  box.input.placeholder = LABEL;
  element.querySelector(".cg-body")?.append(box.root);
}
