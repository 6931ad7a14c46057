// The files that are the values of a field.

/** @import { Entry, Field } from "./draft.js" */

import { linkUpload } from "../library/address.js";
import { make, press } from "../library/elements.js";

/**
 * Make the list of an entry's files, which is hidden at first.
 *
 * @param {Entry} entry
 * @param {object} options
 * @param {(file: File) => Promise<{ path: string }>} options.upload
 * @param {() => void} options.study
 * @param {(text: string) => void} options.announce
 */
export function createFileList(entry, { upload, study, announce }) {
  const root = make("div", { className: "cg-sweep-files", hidden: true });
  /** What is drawn: the field and its files. */
  let shape = "";

  /** @param {Field | null} field null if it takes no files */
  function paint(field) {
    root.hidden = field === null;
    if (!field) return;
    const paths = (entry.files ?? []).map((file) => file.path);
    const now = JSON.stringify([field.name, paths]);
    if (now === shape) return;
    shape = now;
    const cards = (entry.files ?? []).map((file) => drawFile(field, file));
    root.replaceChildren(...cards, drawAdd(field));
  }

  /**
   * @param {Field} field
   * @param {{ path: string, name: string }} file
   */
  function drawFile(field, file) {
    const { path, name } = file;
    const remove = () => {
      entry.files = entry.files?.filter((other) => other !== file);
      study();
    };
    const gone = press("cg-sweep-drop", "×", remove, { label: `Remove ${name}` });
    const shown = field.accept.startsWith("image")
      ? make("img", { src: linkUpload(path), alt: name, title: name })
      : make("span", { textContent: name });
    return make("span", { className: "cg-sweep-file" }, shown, gone);
  }

  /** @param {Field} field */
  function drawAdd({ accept }) {
    const pick = make("input", { type: "file", multiple: true, accept });
    const words = make("span", { textContent: "Add files" });
    pick.addEventListener("change", async () => {
      words.textContent = "One moment …";
      await add([...(pick.files ?? [])]);
      shape = "";
      study();
    });
    return make("label", { className: "cg-sweep-add" }, pick, words);
  }

  /** @param {File[]} files */
  async function add(files) {
    try {
      for (const file of files) {
        const { path } = await upload(file);
        entry.files = [...(entry.files ?? []), { path, name: file.name }];
      }
    } catch {
      announce("A file did not arrive; please add it again.");
    }
  }

  function focus() {
    root.querySelector("input")?.focus();
  }

  return { root, paint, focus };
}
