// What a field knows of the models that it offers. The names stay on the server.

/** @import { Part } from "../library/part.js" */
/** @import { Model } from "./model_name.js" */

import { readModels } from "./model_name.js";

/** @typedef {{ path: string, name: string, total: number }} Folder */

/**
 * A page of models, and how many entries there are in all.
 *
 * @typedef {{ folders: Folder[], models: Model[], total: number }} ModelPage
 */

/**
 * @typedef {object} ModelSource
 * @property {string} place the preset and the field in addresses of pictures; "" if there are none
 * @property {string} shelf where recent models and favourites are kept; forms share it
 * @property {number} total how many models there are
 * @property {boolean} isOptional whether none may be chosen
 * @property {string} empty what is shown if none is chosen
 * @property {(query: string, start: number) => Promise<ModelPage>} search
 * @property {(folder: string, start: number) => Promise<ModelPage>} list
 * @property {(values: string[]) => Promise<Model[]>} recall finds those that are offered still
 */

/**
 * Make what asks the server for the models of a field.
 *
 * @param {Part} part
 * @returns {ModelSource}
 */
export function createModelSource({ props, server }) {
  /**
   * @param {any} answer
   * @returns {ModelPage}
   */
  function readPage({ folders, models, total }) {
    /** @param {[string, string, number]} folder */
    function readFolder([path, name, count]) {
      return { path, name, total: count };
    }
    return { folders: folders.map(readFolder), models: readModels(models), total };
  }

  return {
    place: props.place,
    shelf: props.shelf,
    total: props.total,
    isOptional: props.optional,
    empty: props.optional ? "None" : "Choose",
    search: async (query, start) => readPage(await server.search_models([query, start])),
    list: async (folder, start) => readPage(await server.list_models([folder, start])),
    recall: async (values) => readModels((await server.recall_models([values])).models),
  };
}
