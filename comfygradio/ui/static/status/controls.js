// The buttons by which an operator acts on a server, or on all jobs that wait.

import { make, press, say, setText } from "../library/elements.js";

/**
 * @typedef {object} Verb
 * @property {string} label
 * @property {string} question what is asked first; "" if nothing is
 * @property {string} yes the button that answers the question
 */

/** @type {Record<string, Verb>} */
const VERBS = {
  free: { label: "Free memory", question: "", yes: "" },
  interrupt: {
    label: "Interrupt",
    question: "Stop what runs on this server now, whoever it belongs to?",
    yes: "Stop it",
  },
  clear: {
    label: "Clear queue",
    question: "Remove everything that waits on this server, everybody’s?",
    yes: "Remove all",
  },
  stop: {
    label: "Stop all waiting jobs",
    question: "Stop all jobs that wait here, everybody’s?",
    yes: "Stop all",
  },
};

/**
 * @typedef {object} Controls
 * @property {HTMLElement} root
 * @property {(isShown: boolean) => void} show shows or hides them; a question that is asked stays
 */

/**
 * Make a row of buttons.
 *
 * @param {string[]} verbs
 * @param {(verb: string) => Promise<string>} act does it, and resolves with what to say about it
 * @returns {Controls}
 */
export function createControls(verbs, act) {
  const answer = say("cg-status-answer", "");
  answer.setAttribute("role", "status");
  const question = make("div", { className: "cg-status-question", hidden: true });
  question.setAttribute("role", "group");
  const buttons = verbs.map((verb) => {
    /** @type {HTMLButtonElement} */
    const button = press("cg-small", VERBS[verb].label, () => {
      if (VERBS[verb].question) ask(verb, button);
      else run(verb);
    });
    return button;
  });
  const root = make("div", { className: "cg-status-controls" }, ...buttons, question, answer);

  /** @param {boolean} isAsked */
  function showQuestion(isAsked) {
    question.hidden = !isAsked;
    for (const button of buttons) button.hidden = isAsked;
  }

  /**
   * @param {string} verb
   * @param {HTMLButtonElement} button
   */
  function ask(verb, button) {
    function close() {
      showQuestion(false);
      button.focus();
    }

    const words = VERBS[verb];
    const sure = press("cg-small cg-status-sure", words.yes, () => {
      close();
      run(verb);
    });
    const cancel = press("cg-small", "Cancel", close);
    question.onkeydown = (event) => {
      if (event.key === "Escape") close();
    };
    question.replaceChildren(say("", words.question), sure, cancel);
    question.setAttribute("aria-label", words.question);
    showQuestion(true);
    answer.textContent = "";
    cancel.focus();
  }

  /** @param {string} verb */
  async function run(verb) {
    for (const button of buttons) button.disabled = true;
    setText(answer, "One moment …");
    const text = await act(verb);
    for (const button of buttons) button.disabled = false;
    setText(answer, text);
  }

  /** @param {boolean} isShown */
  function show(isShown) {
    if (question.hidden) root.hidden = !isShown;
  }

  return { root, show };
}
