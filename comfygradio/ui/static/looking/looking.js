// Shows results large, what can be done with them, and what was made last.

/** @import { Part } from "../library/part.js" */
/** @import { OpenJob } from "../history/job.js" */
/** @import { Target } from "../library/picture_targets.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Slide } from "./slides.js" */
/** @import { Shown } from "./tools.js" */

import { createAsking } from "../library/asking.js";
import { find } from "../library/template.js";
import { createToast } from "../library/toast.js";
import { createLarge } from "./large.js";
import { createMore } from "./more.js";
import { isSame, listAround, listRecent, listSlides } from "./slides.js";
import { createStrip } from "./strip.js";
import { giveTools } from "./tools.js";

/** How many jobs' settings are kept. */
const MOST_KEPT = 50;

/**
 * Make the part work.
 *
 * @param {Part} part
 */
export function mount(part) {
  const root = find(part.element, "cg-looking");
  const say = createToast();
  const asking = createAsking(part, { isQuick: () => true, complain: say });
  /** What is known of jobs, by their tokens. @type {Map<string, OpenJob>} */
  const known = new Map();
  /** @type {Slide[]} */
  let recent = [];
  /** @type {Desk} */
  const desk = { asking, say, read, use };
  const largeDialog = find(root, "cg-large", HTMLDialogElement);
  const more = createMore(find(root, "cg-more-dialog", HTMLDialogElement), desk, lookAt);
  const large = createLarge(largeDialog, desk, more.openForLarge);
  const strip = createStrip(find(root, "cg-strip"), lookAt);

  /** @param {string} token */
  async function read(token) {
    const before = known.get(token);
    if (before) return before;
    /** @type {OpenJob & { error?: string }} */
    const job = await asking.call("open", { token });
    if (job.error && !job.token) return null;
    if (known.size >= MOST_KEPT) known.clear();
    known.set(token, job);
    return job;
  }

  /**
   * Let the job view put a picture into a form: it shows what becomes of it.
   *
   * @param {Slide} slide
   * @param {Target} target
   */
  function use({ job, place }, target) {
    large.close();
    const before = job.results.slice(0, place);
    const index = before.filter(({ kind, url }) => kind === "image" && url).length;
    const detail = { token: job.token, index, ...target };
    window.dispatchEvent(new CustomEvent("comfygradio-use", { detail }));
  }

  /** @param {Slide} slide */
  function lookAt(slide) {
    const slides = listAround(slide.job, recent);
    const at = slides.findIndex((one) => isSame(one, slide));
    if (at >= 0) large.open(slides, at);
  }

  /**
   * @param {Shown} job
   * @param {number} place
   */
  function findSlide(job, place) {
    return listSlides(job).find((slide) => slide.place === place);
  }

  /**
   * @param {Shown} job
   * @param {number} place
   */
  function look(job, place) {
    const slide = findSlide(job, place);
    if (slide) lookAt(slide);
  }

  /**
   * @param {Shown} job
   * @param {number} place
   * @param {HTMLElement} button
   * @param {boolean} isAlone
   */
  function offer(job, place, button, isAlone) {
    const slide = findSlide(job, place);
    if (slide) more.openForCard(slide, button, isAlone);
  }

  async function refresh() {
    const found = await asking.ask("recent").catch(() => null);
    // The app is away for a moment: what was made next asks again.
    if (!found?.jobs) return;
    recent = listRecent(found.jobs);
    strip.paint(recent);
  }

  window.addEventListener("comfygradio-page", () => {
    // Something may have been deleted in the history.
    if (!document.documentElement.dataset.cgPage) refresh();
  });
  giveTools({ look, offer, refresh });
  refresh();
}
