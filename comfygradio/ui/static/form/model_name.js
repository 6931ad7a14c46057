// Names of models as people read them. As in `forms/model_search.py`.

const SUFFIX = /(?<=.)\.(safetensors|sft|ckpt|pt|pt2|pth|bin|pkl|gguf|onnx)$/i;

/** @typedef {{ value: any, name: string, folder: string }} Model */

/**
 * Split a model's name as the server spells it; Windows servers write backslashes.
 *
 * @param {any} value
 * @returns {Model}
 */
export function splitModel(value) {
  const parts = String(value ?? "")
    .replaceAll("\\", "/")
    .split("/")
    .filter((part) => part);
  const file = parts.pop() ?? "";
  return { value, name: file.replace(SUFFIX, ""), folder: parts.join("/") };
}

/**
 * Read the models of an answer.
 *
 * @param {[any, string, string][]} listed the value, the name and the folder of each
 * @returns {Model[]}
 */
export function readModels(listed) {
  return listed.map(([value, name, folder]) => ({ value, name, folder }));
}
