// The line of tools at a form: puts into it what the address carries, sets it back, copies a link.

/** @import { Part } from "../library/part.js" */
/** @import { Values } from "../page/form_values.js" */

import { createAsking } from "../library/asking.js";
import { copyText } from "../library/clipboard.js";
import { make, press } from "../library/elements.js";
import { putValues, readValues } from "../page/form_values.js";
import { dropTexts } from "../page/typed_texts.js";
import { cleanAddress, nameCopied, readLink } from "./form_link.js";
import { tellProblem } from "./problem.js";

/** The forms whose address was read; Gradio may mount a form again. @type {Set<string>} */
const arrived = new Set();

/** @param {Part} part */
export function mount(part) {
  const { element, props, trigger } = part;
  /** @type {string} */
  const preset = props.preset;
  const line = /** @type {HTMLElement} */ (element.querySelector(".cg-tools"));
  const said = make("span", { className: "cg-tools-said" });
  said.setAttribute("role", "status");
  const asking = createAsking(part, { isQuick: () => true, complain: (text) => tell(text) });

  /**
   * @param {string} text
   * @param {...HTMLElement} more
   */
  function tell(text, ...more) {
    said.replaceChildren(text, ...more);
  }

  function read() {
    return readValues(preset, () => trigger("read"));
  }

  /** @param {Values} values */
  function put(values) {
    dropTexts(Object.keys(values).map((name) => `cg-${preset}-${name}`));
    putValues(preset, values, () => trigger("put"));
  }

  async function arrive() {
    const landing = document.getElementById("cg-revision")?.dataset.landing ?? "";
    const link = readLink(location.search, preset, landing);
    if (Object.keys(link).length === 0) return;
    const answer = await asking.call("arrive", { preset, link });
    if (answer.error) return;
    history.replaceState(history.state, "", cleanAddress(location.href, answer.taken));
    if (Object.keys(answer.values).length) {
      put(answer.values);
      tell("The values of the link are in the form.");
    }
    if (answer.problem) tellProblem(preset, answer.problem);
  }

  async function reset() {
    const before = await read();
    const answer = await asking.call("reset", { preset });
    if (answer.error) return;
    put(answer.values);
    tellProblem(preset, {});
    const undo = press("cg-tool", "Undo", () => {
      put(before);
      tell("The form is as it was before.");
    });
    tell("The form is set back.", undo);
  }

  async function copyLink() {
    const answer = await asking.call("link", { preset, values: await read() });
    if (answer.error) return;
    const url = `${location.origin}${location.pathname}?${answer.query}`;
    if (await copyText(url)) {
      tell(nameCopied(answer.left));
      return;
    }
    const box = make("input", { className: "cg-tools-link", value: url, readOnly: true });
    box.setAttribute("aria-label", "The link");
    tell("Copy this link:", box);
    box.select();
  }

  line.replaceChildren(
    press("cg-tool", "Reset", reset, { title: "Set every field of this form back" }),
    press("cg-tool", "Copy link", copyLink, { title: "A link to this form with its values" }),
    said,
  );
  if (!arrived.has(preset)) {
    arrived.add(preset);
    arrive();
  }
}
