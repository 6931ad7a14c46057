// A field with a long list, which the server searches.

/** @import { Part } from "../library/part.js" */

import { createCombobox } from "../library/combobox.js";
import { drawField } from "./custom_field.js";

/** @param {Part} part */
export function mount(part) {
  const { props, watch, server } = part;
  const { body, put } = drawField(part);
  /** The names of the values that are known here. @type {Map<any, string>} */
  const names = new Map([[props.initial, props.shown]]);

  function nameValue() {
    return names.get(props.value) ?? String(props.value ?? "");
  }

  const box = createCombobox({
    label: props.title,
    // A form that is shown again has the value of before.
    shown: nameValue(),
    total: props.total,
    search: (query) => server.search([query]),
    pick: (value, name) => {
      names.set(value, name);
      put(value);
    },
  });
  body.append(box.root);
  watch("value", () => box.show(nameValue()));
}
