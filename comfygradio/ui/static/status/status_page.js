// The Servers page: asks every few seconds while it is seen, and changes only what has changed.

/** @import { Part } from "../library/part.js" */
/** @import { Server } from "./server_words.js" */

import { make, say, setText } from "../library/elements.js";
import { createControls } from "./controls.js";
import { readAccess } from "./operator_token.js";
import { createCard, paintLines } from "./server_card.js";

const EVERY_MS = 3000;

/**
 * How things are, as the app describes them.
 *
 * @typedef {object} Status
 * @property {true} [denied] set, and nothing else, if the page may not see this
 * @property {string} trouble
 * @property {Server[]} servers
 * @property {{ who: string, count: number }[]} waiting
 */

/**
 * Draw the page into the part.
 *
 * @param {Part} part
 */
export function mount({ element, server }) {
  let { token, isOpen } = readAccess();
  let isAsking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Map<string, ReturnType<typeof createCard>>} */
  const cards = new Map();

  const note = make("p", { className: "cg-status-note cg-note", hidden: true });
  note.setAttribute("role", "alert");
  const servers = make("div", { className: "cg-status-servers" });
  const people = make("ul", { className: "cg-status-people" });
  const nobody = say("cg-info", "Nobody’s jobs wait here.");
  const stopAll = createControls(["stop"], (verb) => act(verb, ""));
  const heading = make(
    "div",
    { className: "cg-heading" },
    make("h2", { textContent: "Servers" }),
    say("", "How the servers are. Looked at every 3 seconds."),
  );
  const waiting = make(
    "section",
    { className: "cg-status-card" },
    make("h3", { textContent: "Waiting jobs" }),
    say("cg-info", "Jobs that have not been handed to a server yet, by person."),
    nobody,
    people,
    stopAll.root,
  );
  element.querySelector(".cg-body")?.append(heading, note, servers, waiting);

  /** @param {string} text */
  function complain(text) {
    setText(note, text);
    note.hidden = !text;
  }

  /**
   * Act on the server at this address; with "" on all jobs that wait. Resolves with what to say.
   *
   * @param {string} verb
   * @param {string} url
   */
  async function act(verb, url) {
    let answer;
    try {
      answer = await server.act([token, verb, url]);
    } catch {
      answer = { error: "The app does not answer; please try again." };
    }
    look();
    return answer.error ?? answer.done ?? "You may not do this any more; reload this page.";
  }

  /** @param {string} url */
  function findCard(url) {
    const known = cards.get(url);
    if (known) return known;
    const card = createCard(url, (verb) => act(verb, url));
    cards.set(url, card);
    servers.append(card.root);
    return card;
  }

  /** @param {Status} status */
  function paint(status) {
    const urls = status.servers.map((one) => one.url);
    for (const [url, card] of cards) {
      if (urls.includes(url)) continue;
      card.root.remove();
      cards.delete(url);
    }
    for (const one of status.servers) findCard(one.url).paint(one);
    const counts = status.waiting.map(({ who, count }) => `${who}: ${count}`);
    paintLines(people, counts);
    nobody.hidden = counts.length > 0;
    stopAll.show(counts.length > 0);
  }

  /** @param {Status} status */
  function take(status) {
    if (status.denied) {
      complain("You may not see this any more; reload this page.");
      return;
    }
    complain(status.trouble);
    paint(status);
  }

  async function look() {
    clearTimeout(timer);
    if (isAsking || !isOpen || document.hidden || !element.isConnected) return;
    isAsking = true;
    try {
      take(await server.look([token]));
    } catch {
      complain("The app does not answer; it is asked again.");
    }
    isAsking = false;
    clearTimeout(timer);
    if (isOpen) timer = setTimeout(look, EVERY_MS);
  }

  window.addEventListener("comfygradio-status", () => {
    ({ token, isOpen } = readAccess());
    look();
  });
  document.addEventListener("visibilitychange", look);
  look();
}
