// The editor: which fields get several values. What is typed survives a reload; nothing runs before
// Start.

/** @import { Draft, Entry, Field } from "./draft.js" */
/** @import { Desk } from "./sweep_page.js" */

import { AWAY } from "../library/asking.js";
import { fold, make, press, say } from "../library/elements.js";
import * as storage from "../library/storage.js";
import { createAxisCard } from "./axis_card.js";
import { makeEntry, readKeptDraft } from "./draft.js";
import { goTo, readPlace } from "./place.js";
import { createPlanPanel } from "./plan_panel.js";

const DRAFT = "comfygradio.sweep";
const AGAIN_MS = 3000;

/**
 * The form of a draft, as the app describes it.
 *
 * @typedef {object} About
 * @property {string} preset
 * @property {string} title
 * @property {Field[]} fields
 * @property {{ name: string, label: string, text: string }[]} base the values of the form
 * @property {Entry[]} suggested
 */

/**
 * Make the editor.
 *
 * @param {HTMLElement} root
 * @param {Desk} desk
 * @param {(file: File) => Promise<{ path: string }>} upload
 */
export function createEditor(root, desk, upload) {
  const { asking } = desk;
  /** @type {Draft | null} */
  let draft = null;
  /** @type {ReturnType<typeof createDraftEditor> | null} */
  let drawn = null;
  /** The form that is drawn. */
  let preset = "";
  /** The newest plan, which the next one replaces, whatever it is of. */
  const plan = { token: "" };

  /** Begin with a form's values, and with axes where there are any already. @param {any} started */
  function compose(started) {
    draft = { axes: [], carry: true, title: "", ...started };
    drawn = null;
    storage.keep("tab", DRAFT, draft);
    goTo("new");
  }

  async function open() {
    draft ??= readKeptDraft(storage.read("tab", DRAFT, null));
    if (!draft) {
      goTo("all", true);
      return;
    }
    if (drawn && preset === draft.preset) {
      drawn.study();
      return;
    }
    const mine = draft;
    root.replaceChildren(say("cg-info", "One moment …"));
    const asked = { preset: mine.preset, values: mine.values };
    const about = await asking.ask("prepare", asked).catch(() => ({ error: AWAY }));
    if (mine !== draft) return;
    if (!about.fields) {
      root.replaceChildren(make("div", { className: "cg-note" }, about.error));
      return;
    }
    draw(mine, about);
  }

  /**
   * @param {Draft} mine
   * @param {About} about
   */
  function draw(mine, about) {
    preset = about.preset;
    // The form may have lost the fields of an axis.
    mine.axes = mine.axes.filter((axis) => axis.length > 0);
    if (mine.axes.length === 0) mine.axes = about.suggested.map((entry) => [entry]);
    if (mine.axes.length === 0) mine.axes = [[makeEntry()]];
    drawn = createDraftEditor({ root, draft: mine, about, desk, upload, plan, start });
    drawn.study();
  }

  async function start() {
    const mine = draft;
    const answer = await asking.call("start", { definition: mine, planned: plan.token });
    // Another one may have been begun meanwhile.
    if (!answer.token || mine !== draft) return;
    storage.drop("tab", DRAFT);
    draft = null;
    drawn = null;
    if (readPlace() === "new") goTo(answer.token, true);
  }

  return { compose, open };
}

/**
 * Draw the editor of a draft.
 *
 * @param {object} given
 * @param {HTMLElement} given.root
 * @param {Draft} given.draft
 * @param {About} given.about
 * @param {Desk} given.desk
 * @param {(file: File) => Promise<{ path: string }>} given.upload
 * @param {{ token: string }} given.plan the newest one, which the next one replaces
 * @param {() => Promise<void>} given.start
 */
function createDraftEditor({ root, draft, about, desk, upload, plan, start }) {
  const { asking } = desk;
  let asked = 0;
  let timer = 0;

  const bench = { draft, about, desk, upload, study, dropAxis };
  const cards = draft.axes.map((axis) => createAxisCard(axis, bench));
  const panel = createPlanPanel(draft, { study, start });
  const base = make("dl", { className: "cg-sweep-values" });
  const more = press("cg-small cg-sweep-more", "+ Another field", addAxis);
  draw();

  function draw() {
    const words = `${about.title}: every combination of the values below becomes one picture.`;
    const heading = make(
      "div",
      { className: "cg-heading" },
      make("h2", { textContent: "Compare settings" }),
      say("", words),
    );
    const roots = cards.map((card) => card.root);
    const axes = make("div", { className: "cg-sweep-axes" }, ...roots, more);
    const rest = fold("Everything else as in the form", base);
    const side = make("aside", { className: "cg-sweep-side" }, ...panel.parts, rest);
    root.replaceChildren(heading, make("div", { className: "cg-sweep-desk" }, axes, side));
  }

  function addAxis() {
    const axis = [makeEntry()];
    const card = createAxisCard(axis, bench);
    draft.axes.push(axis);
    cards.push(card);
    more.before(card.root);
    study();
    card.focus(0);
  }

  /** An axis has lost an entry. @param {Entry[]} axis */
  function dropAxis(axis) {
    const place = draft.axes.indexOf(axis);
    if (axis.length === 0) {
      draft.axes.splice(place, 1);
      cards.splice(place, 1)[0].root.remove();
    }
    if (draft.axes.length === 0) {
      addAxis();
      return;
    }
    study();
    cards[0].focus(0);
  }

  function paint() {
    const isFull = about.fields.length <= draft.axes.flat().length;
    for (const card of cards) card.paint(isFull);
    more.hidden = isFull;
    const changed = new Set(draft.axes.flat().map((entry) => entry.field));
    const rows = about.base.filter((row) => !changed.has(row.name));
    const values = rows.flatMap(({ label, text }) => {
      return [make("dt", { textContent: label }), make("dd", { textContent: text })];
    });
    base.replaceChildren(...values);
  }

  /**
   * Ask what the draft comes to, after a while; only the newest answer counts.
   *
   * @param {number} wait milliseconds; while somebody types, nothing is drawn anew
   */
  function study(wait = 0) {
    storage.keep("tab", DRAFT, draft);
    if (wait === 0) paint();
    clearTimeout(timer);
    asked += 1;
    const mine = asked;
    panel.wait();
    timer = setTimeout(async () => {
      const question = { definition: draft, planned: plan.token };
      const away = { error: AWAY, axes: [] };
      const answer = await asking.ask("study", question).catch(() => away);
      if (mine !== asked || root.hidden || !more.isConnected) return;
      plan.token = answer.token ?? "";
      cards.forEach((card, place) => {
        card.take(answer.axes?.[place] ?? []);
      });
      panel.show(answer);
      if (answer.error === AWAY) timer = setTimeout(study, AGAIN_MS);
    }, wait);
  }

  return { study };
}
