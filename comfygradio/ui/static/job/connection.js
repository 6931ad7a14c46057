// How messages about the jobs of this tab come: by the generator of the Generate button (or of
// `attach`, for a tab that comes back), each once the one before is painted. A tab asks instead, by
// one rule: it is hidden, or too many tabs of this browser have a stream, or the app says that it
// has too many, or the stream has gone silent.

/** @import { Message } from "./job_message.js" */
/** @import { TabJobs } from "./tab_jobs.js" */

import { link } from "../library/address.js";
import { createOtherTabs } from "./other_tabs.js";
import { isBusy, listTokens, NOTHING_SEEN } from "./tab_jobs.js";

/** Between two questions of a tab that has no stream. */
const PEEK_MS = 1000;

/** For one answer. */
const PATIENCE_MS = 15_000;

/** A stream says something every 5 seconds. */
const SILENT_MS = 12_000;

/** Until a tab that the app had no stream for wishes for one again. */
const FULL_MS = 15_000;

/** How often something is said to a stream before it is given up. */
const TRIES = 3;

/**
 * @param {string} id of the stream
 * @param {Record<string, string>} said
 * @param {number} tries
 */
function tellStream(id, said, tries = TRIES) {
  const asked = new URLSearchParams(said);
  const address = link(`gradio_api/comfygradio/stream/${encodeURIComponent(id)}?${asked}`);
  fetch(address, { method: "POST", keepalive: true }).catch(() => {
    if (tries > 1) setTimeout(tellStream, PEEK_MS, id, said, tries - 1);
  });
}

/**
 * @param {object} options
 * @param {TabJobs} options.tab
 * @param {(event: string, detail: object) => void} options.trigger
 * @param {(message: Message) => Promise<void>} options.receive takes the answer to a question
 */
export function createConnection({ tab, trigger, receive }) {
  /** The secret of the stream that this tab has; "" if it asks, or has just attached. */
  let stream = "";
  let isStreaming = false;
  /** Of each stream the number of its last message: Gradio sends the last one twice. */
  const heard = new Map();
  /** The streams that this tab let go of. @type {Set<string>} */
  const closed = new Set();
  let heardAt = 0;
  let fullAt = Number.NEGATIVE_INFINITY;
  let isPeeking = false;
  /** The job that is to be shown next, before the app has told of it; "" if there is none. */
  let wanted = "";
  /** The job that the last stream was asked to show. */
  let attached = "";
  /** The job that was chosen after the last stream was asked for; "" if none was. */
  let chosen = "";
  /** Takes back the question that has no answer yet. @type {AbortController | null} */
  let asking = null;
  const otherTabs = createOtherTabs({ isStreaming: () => isStreaming, giveWay: letGo });

  /** The job that is to be shown, as far as this tab knows. */
  function findWanted() {
    return wanted || tab.shown;
  }

  function mayStream() {
    return !document.hidden && !otherTabs.areMany() && Date.now() - fullAt > FULL_MS;
  }

  /** Ask once a second from now on. */
  function letGo() {
    if (stream) {
      closed.add(stream);
      tellStream(stream, { close: "1" });
    }
    stopStreaming();
  }

  function stopStreaming() {
    if (isStreaming) otherTabs.tellLeft();
    stream = "";
    isStreaming = false;
  }

  /**
   * Ask for a stream about these jobs.
   *
   * @param {string} token of the job to show; "" leaves that to the app
   * @param {string[]} tokens of all jobs
   */
  function attach(token = findWanted(), tokens = listTokens(tab)) {
    heardAt = Date.now();
    attached = token;
    chosen = "";
    trigger("attach", { token, tokens });
  }

  /**
   * Leave the stream of a message that is not painted, since another takes its place: what comes by
   * it, the same once more, is not news.
   *
   * @param {Message} message
   */
  function leave({ stream: id, number }) {
    if (!id) return;
    heard.set(id, number);
    closed.add(id);
  }

  /**
   * @param {string} id
   * @param {string} token of the job that it tells of
   */
  function join(id, token) {
    if (stream !== id) {
      otherTabs.tell();
      const isLate = chosen !== "" && token === attached && token !== chosen;
      if (isLate) {
        tellStream(id, { show: chosen });
      } else if (token !== attached) {
        // What Generate has just begun takes the place of a choice.
        wanted = "";
        chosen = "";
      }
    }
    stream = id;
    isStreaming = true;
    if (document.hidden) letGo();
  }

  /**
   * Note that a message came; false if it came before.
   *
   * @param {Message} message
   */
  function hear(message) {
    if (message.stream) {
      const last = heard.get(message.stream) ?? 0;
      const number = message.number ?? 0;
      if (last >= number) return false;
      heard.set(message.stream, number);
      if (!closed.has(message.stream)) join(message.stream, message.token);
    }
    // Its answer would come late, and show another job again.
    asking?.abort();
    const isKnown = message.jobs.some((job) => job.token === wanted);
    if (message.token === wanted || !isKnown) wanted = "";
    heardAt = Date.now();
    return true;
  }

  /**
   * Tell the stream that a message is painted, so that the next one comes.
   *
   * @param {Message} message
   */
  function acknowledge(message) {
    if (stream && message.stream === stream) {
      tellStream(stream, { painted: String(message.number) });
    }
    if (message.ask) fullAt = Date.now();
  }

  /**
   * Ask for a message about a job. A question that has no answer yet is taken back: a late answer
   * about another job would show that one again.
   *
   * @param {string} token
   * @param {boolean} wantsFrames
   * @returns {Promise<Message>}
   */
  async function ask(token, wantsFrames) {
    const seen = token === tab.shown ? tab.seen : NOTHING_SEEN;
    const asked = new URLSearchParams({
      tokens: listTokens(tab).join(","),
      version: String(seen.version),
      ended: String(seen.ended),
    });
    if (wantsFrames) asked.set("frames", String(seen.frames));
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const timer = setTimeout(() => mine.abort(), PATIENCE_MS);
    try {
      const address = link(`gradio_api/comfygradio/job/${encodeURIComponent(token)}?${asked}`);
      const answer = await fetch(address, { cache: "no-store", signal: mine.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const message = await answer.json();
      if (message.gone && wanted === token) wanted = "";
      return message;
    } finally {
      clearTimeout(timer);
      if (asking === mine) asking = null;
    }
  }

  /**
   * Show another job of this tab.
   *
   * @param {string} token
   */
  function show(token) {
    if (!wanted && token === tab.shown) return;
    wanted = token;
    chosen = token;
    if (stream) {
      tellStream(stream, { show: token });
      return;
    }
    ask(token, true)
      .then(receive)
      .catch(() => {});
  }

  function hasQuestion() {
    if (isStreaming || isPeeking || asking || !tab.shown) return false;
    return isBusy(tab) || tab.jobs.length === 0 || wanted !== "";
  }

  async function peek() {
    const isSilent = Date.now() - heardAt > SILENT_MS;
    if (isStreaming && isBusy(tab) && isSilent) letGo();
    if (!hasQuestion()) return;
    isPeeking = true;
    try {
      await receive(await ask(findWanted(), !document.hidden));
      // The stream went silent, and the app is there.
      if (!isStreaming && isBusy(tab) && mayStream()) attach();
    } catch {
      // The app is away for a moment; the next round asks again.
    }
    isPeeking = false;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) letGo();
    else if (tab.shown && isBusy(tab)) attach();
  });
  setInterval(peek, PEEK_MS);

  return { attach, hear, leave, acknowledge, show, letGo, stopStreaming };
}
