// The job view: shows the jobs of this tab.

/** @import { Part } from "../library/part.js" */
/** @import { Message } from "./job_message.js" */
/** @import { Answer } from "./result_actions.js" */

import { isOver } from "../library/phases.js";
import { find } from "../library/template.js";
import { tellMade } from "../looking/tools.js";
import { createAnnouncements } from "./announcements.js";
import { createConnection } from "./connection.js";
import { wasGeneratePressed } from "./generate_button.js";
import { createChips } from "./job_chips.js";
import { forget, readBatch, remember } from "./job_memory.js";
import { createPainter } from "./job_painter.js";
import { nameTab } from "./job_words.js";
import { keepFocus } from "./kept_focus.js";
import { coverScreen, keepTop } from "./page_top.js";
import { followDock } from "./phone_dock.js";
import { followSides } from "./picture_side.js";
import { createResultActions } from "./result_actions.js";
import { followStopKey } from "./stop_key.js";
import { addJobs, createTabJobs, findOpen, isBusy, isPartial } from "./tab_jobs.js";

/**
 * Show the jobs from now on.
 *
 * @param {Part} part
 */
export function mount({ element, props, trigger, watch, server }) {
  const view = find(element, "cg-view");
  const main = /** @type {HTMLElement} */ (element.closest("#cg-main"));
  const said = find(view, "cg-said");
  const title = document.title;
  const tab = createTabJobs();
  /** Whether the jobs from before are about to be asked for. */
  let isReturning = false;
  const actions = createResultActions(view, trigger, server);
  const painter = createPainter(view, trigger, actions);
  const chips = createChips(find(view, "cg-chips"), { choose, stop });
  const announcements = createAnnouncements(wasGeneratePressed);
  const connection = createConnection({ tab, trigger, receive });

  /** @param {(Message & Answer) | undefined} message */
  async function receive(message) {
    if (!message) return;
    if (!message.token) {
      actions.takeAnswer(message);
      return;
    }
    if (message.gone) {
      if (message.token === tab.shown) forgetJobs();
      return;
    }
    if (isPartial(tab, message)) {
      askForAll(message);
      return;
    }
    if (!connection.hear(message)) return;
    const wasBusy = isBusy(tab);
    tab.jobs = message.jobs;
    if (message.token !== tab.shown) begin(message.token);
    tab.seen = { version: message.version, frames: message.frames, ended: message.ended };
    tab.told = message;
    remember(tab.shown, tab.jobs);
    paint(message);
    if (message.image) await painter.paintFrame(message.image, message.token);
    settleEnd(message, wasBusy);
    connection.acknowledge(message);
  }

  /**
   * Leave a message alone that knows a part of the jobs, and ask for all of them.
   *
   * @param {Message} message
   */
  function askForAll(message) {
    connection.leave(message);
    // Gradio sends it twice, and they are asked for once.
    if (!addJobs(tab, message.jobs)) return;
    remember(tab.shown, tab.jobs);
    connection.attach();
  }

  /** @param {Message} message */
  function paint(message) {
    painter.paint(message, tab.stopping.has(tab.shown));
    chips.paint(tab.jobs, tab.shown);
    document.title = nameTab(title, message, isBusy(tab));
    const news = announcements.describe(message);
    if (news) said.textContent = news;
  }

  /**
   * Show another job from now on.
   *
   * @param {string} token
   */
  function begin(token) {
    const isFirst = !tab.shown;
    tab.shown = token;
    const isOpen = tab.jobs.some((job) => job.token === token && !isOver(job));
    // What is made next takes the place of what was made before.
    if (isOpen && !isFirst) painter.clearFrame();
    else painter.clearStage();
  }

  /**
   * @param {Message} message
   * @param {boolean} wasBusy whether a job was not over before it
   */
  function settleEnd(message, wasBusy) {
    if (!isOver(message)) {
      tab.ended.delete(message.token);
      return;
    }
    const isNews = !tab.ended.has(message.token);
    if (message.refused && isNews) trigger("refused", { token: message.token });
    tab.ended.add(message.token);
    if (isNews) tellMade();
    const next = findOpen(tab);
    if (!next) connection.stopStreaming();
    const other = next ?? tab.jobs.at(-1);
    if (other && !tab.isChosen && (next || wasBusy)) connection.show(other.token);
    if (!next) tab.isChosen = false;
  }

  /**
   * Show a job that the person chose.
   *
   * @param {string} token
   */
  function choose(token) {
    tab.isChosen = token !== findOpen(tab)?.token;
    connection.show(token);
  }

  /** @param {string} token */
  function stop(token) {
    tab.stopping.add(token);
    if (token === tab.shown) painter.paintStopping();
    server.stop([token]).catch(() => {
      tab.stopping.delete(token);
      if (token === tab.shown) painter.enableStop();
    });
  }

  function forgetJobs() {
    forget(tab.shown);
    tab.jobs = [];
    tab.shown = "";
    connection.letGo();
    painter.paintNothing();
    chips.paint([], "");
    document.title = title;
  }

  /** Ask for the jobs that this tab remembers, or for those of its person that are running. */
  function returnToJobs() {
    // Another device of this person may have one running.
    const hasReason = tab.shown !== "" || !document.hidden;
    if (!hasReason) {
      receive(props.value);
      return;
    }
    isReturning = true;
    setTimeout(() => {
      isReturning = false;
      attachJobs();
    }, 0);
  }

  function attachJobs() {
    /** @type {Message | undefined} */
    const early = props.value;
    if (!early?.token) {
      connection.attach();
      return;
    }
    // Generate was pressed before this was here, and its message knows of its own jobs alone.
    const tokens = early.jobs.map((job) => job.token);
    const all = [...new Set([...readBatch(), ...tokens])];
    connection.leave(early);
    connection.attach("", all);
  }

  find(view, "cg-stop").addEventListener("click", () => {
    if (tab.shown && !tab.stopping.has(tab.shown)) stop(tab.shown);
  });
  coverScreen();
  keepTop(main);
  followSides(main, view);
  followDock(main);
  followStopKey(view, tab, stop);
  keepFocus(main, view);
  watch("value", () => {
    // Else this would forget the jobs from before, and they would not be asked for.
    if (!isReturning) receive(props.value);
  });
  returnToJobs();
}
