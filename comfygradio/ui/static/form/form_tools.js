// The line of tools at a form: brings what is kept of it or what the address carries, sets it back,
// copies a link, and saves settings under a name.

/** @import { Part } from "../library/part.js" */
/** @import { Values } from "../page/form_values.js" */

import { AWAY, createAsking } from "../library/asking.js";
import { copyText } from "../library/clipboard.js";
import { make, press } from "../library/elements.js";
import { dropCustomValues, takeCustomValues } from "../page/custom_values.js";
import { putValues, readValues } from "../page/form_values.js";
import { dropTexts } from "../page/typed_texts.js";
import { createKeeping } from "./form_keeping.js";
import { cleanAddress, nameBrought, nameCopied, nameSaved, readLink } from "./form_link.js";
import { tellProblem } from "./problem.js";
import { createSavedSettings } from "./saved_settings.js";

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

  /**
   * @param {Values} values
   * @param {string[]} names of the fields in which nothing that was typed counts any more
   */
  function put(values, names = Object.keys(values)) {
    dropTexts(names.map((name) => `cg-${preset}-${name}`));
    dropCustomValues(preset, names);
    putValues(preset, values, () => trigger("put"));
  }

  async function arrive() {
    const landing = document.getElementById("cg-revision")?.dataset.landing ?? "";
    const link = readLink(location.search, preset, landing);
    const isLinked = Object.keys(link).length > 0;
    const custom = takeCustomValues(preset);
    const before = await read();
    const present = listUntyped(before);
    const answer = await asking
      .ask("arrive", { preset, link, present, custom })
      .catch(() => ({ error: AWAY }));
    if (answer.error) {
      if (isLinked) tell(answer.error);
      if (Object.keys(custom).length) put(custom);
      keeping.start(false);
      return;
    }
    await bring(answer, before);
    saved.paint(answer.names);
    if (isLinked)
      history.replaceState(history.state, "", cleanAddress(location.href, answer.taken));
    if (answer.problem) tellProblem(preset, answer.problem);
    keeping.start(answer.isUntouched && Object.keys(answer.values).length === 0);
  }

  /**
   * Leave out what was typed in this tab, and is put back beside this.
   *
   * @param {Values} values
   */
  function listUntyped(values) {
    return Object.fromEntries(Object.entries(values).filter(([name]) => !keeping.isTaken(name)));
  }

  /**
   * Put what has come into the form, but not over what somebody is at.
   *
   * @param {{ values: Values, linked: string[], left: string[] }} answer
   * @param {Values} before what was in the form when it was asked for
   */
  async function bring({ values, linked, left }, before) {
    const now = await read();
    /** @type {Values} */
    const wanted = {};
    for (const [name, value] of Object.entries(values)) {
      const isSame = JSON.stringify(now[name]) === JSON.stringify(before[name]);
      const isFree = isSame && !keeping.isTaken(name);
      if (linked.includes(name) || isFree) wanted[name] = value;
    }
    if (Object.keys(wanted).length) put(wanted, linked);
    const what = linked.length ? "The values of the link are in the form." : "";
    tell(nameBrought(what, left));
  }

  async function reset() {
    const before = await read();
    const answer = await asking.call("reset", { preset });
    if (answer.error) return;
    put(answer.values);
    tellProblem(preset, {});
    tell("The form is set back.", drawUndo(before));
  }

  /** @param {Values} before */
  function drawUndo(before) {
    return press("cg-tool", "Undo", () => {
      put(before);
      tell("The form is as it was before.");
    });
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

  /** @param {string} name */
  async function use(name) {
    const before = await read();
    const answer = await asking.call("choose", { preset, name });
    if (answer.error) return;
    put(answer.values);
    tellProblem(preset, {});
    tell(nameBrought(`${name} is in the form.`, answer.left), drawUndo(before));
  }

  /** @param {string} name */
  async function save(name) {
    const answer = await asking.call("save", { preset, name, values: await read() });
    if (answer.error) return;
    saved.paint(answer.names);
    saved.clear();
    tell(nameSaved(answer.name, answer.left));
  }

  /** @param {string} name */
  async function remove(name) {
    const answer = await asking.call("delete", { preset, name });
    if (answer.error) return;
    saved.paint(answer.names);
    const undo = press("cg-tool", "Undo", () => saveAgain(name, answer.values));
    tell(`${name} is deleted.`, ...(answer.values ? [undo] : []));
  }

  /**
   * Save settings that were deleted.
   *
   * @param {string} name
   * @param {Values} values
   */
  async function saveAgain(name, values) {
    const answer = await asking.call("save", { preset, name, values });
    if (answer.error) return;
    saved.paint(answer.names);
    tell(nameBrought(`${name} is back.`, answer.left));
  }

  const keeping = createKeeping(preset, {
    read,
    keep: async (values) => {
      const answer = await asking.ask("keep", { preset, values });
      if (answer?.error) tell(answer.error);
    },
  });
  const saved = createSavedSettings({ use, remove, save });
  const unfold = press("cg-tool", "Saved settings", () => {
    saved.element.hidden = !saved.element.hidden;
    unfold.setAttribute("aria-expanded", String(!saved.element.hidden));
  });
  unfold.setAttribute("aria-expanded", "false");
  line.replaceChildren(
    press("cg-tool", "Reset", reset, { title: "Set every field of this form back" }),
    press("cg-tool", "Copy link", copyLink, { title: "A link to this form with its values" }),
    unfold,
    said,
    saved.element,
  );
  if (!arrived.has(preset)) {
    arrived.add(preset);
    arrive();
  }
}
