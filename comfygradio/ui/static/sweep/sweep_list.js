// All sweeps of a person, newest first.

/** @import { Desk } from "./sweep_page.js" */

import { link } from "../library/address.js";
import { make, press, say } from "../library/elements.js";
import { nameTime } from "../library/words.js";
import { goTo, readPlace } from "./place.js";

const RENEW_MS = 3000;

/**
 * A sweep as the list shows it at first.
 *
 * @typedef {object} ListedSweep
 * @property {string} token
 * @property {string} title
 * @property {string} form
 * @property {number} created
 * @property {string} phase
 * @property {string} line
 */

/** @param {ListedSweep[]} sweeps */
function nameAll(sweeps) {
  return sweeps.map((one) => one.token).join(" ");
}

/** @param {ListedSweep[]} sweeps */
function hasRunning(sweeps) {
  return sweeps.some((one) => one.phase === "running");
}

/**
 * Make the list.
 *
 * @param {HTMLElement} root
 * @param {Desk} desk
 */
export function createSweepList(root, { asking, askToDelete }) {
  let timer = 0;
  let tokens = "";
  /** @type {Map<string, ReturnType<typeof createListCard>>} */
  let cards = new Map();

  /** What is in sight is read from the server, not all of it. */
  const glanced = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        glanced.unobserve(target);
        const card = [...cards.values()].find((one) => one.link === target);
        card?.glance();
      }
    },
    { rootMargin: "200px" },
  );

  const heading = make(
    "div",
    { className: "cg-heading" },
    make("h2", { textContent: "Comparisons" }),
    say("", "One form with several values, the results side by side."),
  );

  async function open() {
    clearTimeout(timer);
    if (!root.firstChild) root.replaceChildren(heading, say("cg-info", "One moment …"));
    const answer = await asking.call("list_all");
    if (!answer.sweeps || root.hidden) return;
    draw(answer.sweeps);
    if (hasRunning(answer.sweeps)) timer = setTimeout(renew, RENEW_MS);
  }

  /** @param {ListedSweep[]} sweeps */
  function draw(sweeps) {
    glanced.disconnect();
    cards = new Map();
    tokens = nameAll(sweeps);
    for (const one of sweeps) {
      const options = { ask: asking.ask, remove: () => askToDelete(one, open) };
      cards.set(one.token, createListCard(one, options));
    }
    if (sweeps.length === 0) {
      const none = "Nothing here yet. “Compare settings” below a form begins one.";
      root.replaceChildren(heading, say("cg-sweep-none", none));
      return;
    }
    const items = [...cards.values()].map((card) => card.root);
    root.replaceChildren(heading, make("ul", { className: "cg-sweep-cards" }, ...items));
    for (const card of cards.values()) glanced.observe(card.link);
  }

  /** While something runs; the cards stay, so that focus and pictures do. */
  async function renew() {
    if (readPlace() !== "all") return;
    clearTimeout(timer);
    /** @type {{ sweeps?: ListedSweep[] }} */
    const answer = document.hidden ? {} : await asking.ask("list_all").catch(() => ({}));
    if (readPlace() !== "all") return;
    const { sweeps } = answer;
    if (sweeps && nameAll(sweeps) !== tokens) {
      open();
      return;
    }
    for (const one of sweeps ?? []) cards.get(one.token)?.renew(one.phase);
    if (!sweeps || hasRunning(sweeps)) timer = setTimeout(renew, RENEW_MS);
  }

  return { open };
}

/**
 * Make the card of a sweep.
 *
 * @param {ListedSweep} one
 * @param {object} options
 * @param {(name: string, asked: object) => Promise<any>} options.ask
 * @param {() => void} options.remove
 */
function createListCard(one, { ask, remove }) {
  let isSeen = false;
  let phase = one.phase;
  const thumbs = make("span", { className: "cg-sweep-thumbs" });
  const title = make("b", { textContent: one.title });
  const when = `${one.form} · ${nameTime(one.created)}`;
  const line = make("span", { className: "cg-info", textContent: one.line });
  const about = make(
    "span",
    { className: "cg-sweep-about" },
    title,
    make("span", { className: "cg-info", textContent: when }),
    line,
  );
  const href = `?sweep=${encodeURIComponent(one.token)}`;
  const open = make("a", { className: "cg-sweep-card", href }, thumbs, about);
  open.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(one.token);
  });
  const gone = press("cg-small cg-remove", "×", remove, { label: `Delete ${one.title}` });
  gone.disabled = one.phase === "running";
  const root = make("li", { className: "cg-sweep-item" }, open, gone);

  /** Ask how it is now, and for a few of its pictures. */
  async function glance() {
    isSeen = true;
    const told = await ask("glance", { token: one.token }).catch(() => ({}));
    if (!told.token) return;
    title.textContent = told.title;
    line.textContent = told.line;
    gone.disabled = told.phase === "running";
    phase = told.phase;
    const shown = told.thumbs.join(" ");
    if (thumbs.dataset.shown === shown) return;
    thumbs.dataset.shown = shown;
    thumbs.dataset.count = told.thumbs.length;
    const pictures = told.thumbs.map((/** @type {string} */ address) => {
      return make("img", { src: link(address), alt: "", decoding: "async" });
    });
    thumbs.replaceChildren(...pictures);
  }

  /** @param {string} now its phase */
  function renew(now) {
    if (isSeen && (now === "running" || now !== phase)) glance();
  }

  return { root, link: open, glance, renew };
}
