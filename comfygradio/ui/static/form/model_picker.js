// A field for a model.

/** @import { Part } from "../library/part.js" */
/** @import { Model } from "./model_name.js" */

import { drawField } from "./custom_field.js";
import { createModelLine } from "./model_line.js";
import { readModels, splitModel } from "./model_name.js";
import { createModelSource } from "./model_source.js";

/** @param {Part} part */
export function mount(part) {
  const { props, watch } = part;
  const { body, put } = drawField(part);
  const source = createModelSource(part);
  /** The models that are known here, by value. @type {Map<any, Model>} */
  const known = new Map();
  for (const model of readModels(props.shown)) known.set(model.value, model);

  /** @param {any} value */
  function findModel(value) {
    return known.get(value) ?? splitModel(value);
  }

  const line = createModelLine(source, {
    label: props.title,
    // A form that is shown again has the value of before.
    model: findModel(props.value),
    pick: (model) => {
      known.set(model.value, model);
      put(model.value);
    },
  });

  async function show() {
    const value = props.value;
    line.show(findModel(value));
    // An author may have named it.
    if (!value || !props.named || known.has(value)) return;
    const [model] = await source.recall([value]).catch(() => []);
    if (!model) return;
    known.set(value, model);
    if (props.value === value) line.show(model);
  }

  body.append(line.root);
  watch("value", show);
  show();
}
