// How a page of one's own things asks the app.
//
// Calls carry no identity. So a page enters first: it says whose it is, and the app answers with a
// secret, which is part of each later call. After a restart the app does not know the secret any
// more; then the page enters anew, and asks again.

/** @import { Part } from "./part.js" */

import { readPerson } from "./person.js";

export const AWAY = "The app does not answer; try again in a moment.";

/** A phone that changed its network hears nothing more: then there is no answer after this time. */
const ANSWER_MS = 20_000;

/**
 * Wait for an answer, but not for ever.
 *
 * @template Answer
 * @param {Promise<Answer>} answer
 * @returns {Promise<Answer>}
 */
export function soon(answer) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, ANSWER_MS, new Error("no answer"));
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/**
 * @typedef {object} Asking
 * @property {() => string | null} getAccess the page's secret; null before it is known
 * @property {(name: string, asked?: object) => Promise<any>} ask calls a function of the app; throws
 *   if the app is away
 * @property {(name: string, asked?: object) => Promise<any>} call like `ask`, but complains itself,
 *   and gives an answer with an `error` if the app is away
 * @property {(event: string, detail?: object) => Promise<any>} send triggers an event that fills a
 *   form; its answer comes back as the value, with an `error` if the app is away
 */

/**
 * Make what a page asks with.
 *
 * @param {Part} part
 * @param {object} options
 * @param {(name: string) => boolean} options.isQuick whether the answer of a function comes soon or
 *   not at all; others take as long as they need
 * @param {(text: string) => void} options.complain tells people what went wrong
 * @returns {Asking}
 */
export function createAsking({ props, trigger, watch, server }, { isQuick, complain }) {
  /** @type {string | null} */
  let access = null;
  /** @type {Promise<string> | null} */
  let entering = null;
  /** @type {((access: string) => void) | null} */
  let entered = null;
  let count = 0;
  /** @type {Map<string, (answer: any) => void>} */
  const answers = new Map();

  function enter() {
    if (entering) return entering;
    /** @type {Promise<string>} */
    const answer = new Promise((resolve) => {
      entered = resolve;
    });
    trigger("enter", { person: readPerson() });
    entering = soon(answer).finally(() => {
      entering = null;
    });
    return entering;
  }

  /**
   * @param {string} name
   * @param {string} secret
   * @param {object} asked
   */
  async function put(name, secret, asked) {
    const answering = server[name]([secret, asked]);
    const answer = await (isQuick(name) ? soon(answering) : answering);
    // Gradio gives nothing where a call is refused, such as after the login has ended.
    if (answer === undefined) throw new Error("no answer");
    return answer;
  }

  /**
   * @param {string} name
   * @param {object} asked
   */
  async function ask(name, asked = {}) {
    const secret = access ?? (await enter());
    const answer = await put(name, secret, asked);
    if (!answer?.left) return answer;
    // Another call may have entered anew meanwhile.
    if (access === secret) access = null;
    return put(name, access ?? (await enter()), asked);
  }

  /**
   * @param {string} name
   * @param {object} asked
   */
  async function call(name, asked = {}) {
    const answer = await ask(name, asked).catch(() => ({ error: AWAY }));
    if (answer.error) complain(answer.error);
    return answer;
  }

  /**
   * @param {string} event
   * @param {object} detail
   */
  async function send(event, detail = {}) {
    count += 1;
    const number = `${Date.now()}.${count}`;
    const answer = new Promise((resolve) => {
      answers.set(number, resolve);
    });
    trigger(event, { access, number, ...detail });
    try {
      return await soon(answer);
    } catch {
      return { error: AWAY };
    } finally {
      answers.delete(number);
    }
  }

  function take() {
    const value = props.value ?? {};
    if (value.access) {
      access = value.access;
      entered?.(value.access);
    }
    answers.get(value.number)?.(value);
  }

  watch("value", take);
  return { getAccess: () => access, ask, call, send };
}
