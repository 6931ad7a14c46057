// One result, large, with its settings; beside it the others of its job and what was made last. Two
// of them can be compared.

/** @import { OpenJob } from "../history/job.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Slide } from "./slides.js" */

import { drawSettings } from "../history/job_values.js";
import { nameFacts } from "../history/job_words.js";
import { link } from "../library/address.js";
import { closeFromOutside } from "../library/dialogs.js";
import { make, press, say } from "../library/elements.js";
import { find } from "../library/template.js";
import { drawMain } from "./choices.js";
import { drawSlider } from "./slider.js";
import { isSame, nameSlide } from "./slides.js";
import { drawPick } from "./strip.js";
import { followZoom, markZoomed } from "./zooming.js";

/** In these, the arrow keys do something else. */
const HAS_OWN_ARROWS = "select, input, video, audio";

/** @param {Slide} slide */
function drawMedia(slide) {
  const { result } = slide;
  const words = nameSlide(slide);
  const src = link(result.url);
  if (result.kind === "video") {
    const video = make("video", {
      src,
      controls: true,
      loop: true,
      muted: true,
      playsInline: true,
    });
    video.setAttribute("aria-label", words);
    return video;
  }
  if (result.kind === "audio") {
    const audio = make("audio", { src, controls: true });
    audio.setAttribute("aria-label", words);
    return audio;
  }
  const picture = make("img", { src: link(result.display), alt: words, draggable: false });
  markZoomed(picture, result);
  return picture;
}

/**
 * Make the large view.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Desk} desk
 * @param {(slide: Slide, button: HTMLElement) => void} offer shows what else can be done
 */
export function createLarge(dialog, desk, offer) {
  const stage = find(dialog, "cg-large-stage");
  const media = find(dialog, "cg-large-media");
  const count = find(dialog, "cg-large-count");
  const picks = find(dialog, "cg-large-picks");
  const side = find(dialog, "cg-large-side");
  const back = find(dialog, "cg-large-back", HTMLButtonElement);
  const on = find(dialog, "cg-large-on", HTMLButtonElement);
  const compare = press("cg-small cg-large-compare", "Compare", turnComparing, {
    title: "Lay another picture over this one",
  });
  /** @type {Slide[]} */
  let slides = [];
  let at = 0;
  /** What the picture is compared with; null if it is not. @type {Slide | null} */
  let other = null;
  /** What had the keyboard before. @type {Element | null} */
  let opener = null;
  const zoom = followZoom(media, step);

  /**
   * Open one of these.
   *
   * @param {Slide[]} all
   * @param {number} index
   */
  function open(all, index) {
    slides = all;
    if (!dialog.open) {
      opener = document.activeElement;
      dialog.showModal();
    }
    show(index);
    find(dialog, "cg-dialog-close").focus({ preventScroll: true });
  }

  /** @param {number} index */
  function show(index) {
    at = index;
    other = null;
    paintStage();
    paintSide();
  }

  /** @param {number} by how many places */
  function step(by) {
    if (other === null && slides[at + by]) show(at + by);
  }

  function listPictures() {
    return slides.filter(({ result }) => result.kind === "image");
  }

  /** The pictures that the one which is shown can be compared with. */
  function listOthers() {
    return listPictures().filter((slide) => !isSame(slide, slides[at]));
  }

  function turnComparing() {
    if (other) other = null;
    else other = slides[at + 1]?.result.kind === "image" ? slides[at + 1] : listOthers()[0];
    paintStage();
    if (other) media.querySelector("input")?.focus();
  }

  function paintStage() {
    const slide = slides[at];
    zoom.reset();
    media.replaceChildren(other ? drawSlider(slide, other) : drawMedia(slide));
    dialog.setAttribute("aria-label", nameSlide(slide));
    count.textContent = slides.length > 1 ? `${at + 1} of ${slides.length}` : "";
    back.disabled = other !== null || at === 0;
    on.disabled = other !== null || at === slides.length - 1;
    compare.hidden = slide.result.kind !== "image" || listOthers().length === 0;
    compare.setAttribute("aria-pressed", String(other !== null));
    paintPicks();
  }

  /**
   * @param {Slide} slide
   * @param {boolean} isPressed
   * @param {string} label
   * @param {() => void} action
   */
  function drawMarked(slide, isPressed, label, action) {
    const pick = drawPick(slide, label, action);
    pick.setAttribute("aria-pressed", String(isPressed));
    return pick;
  }

  /** @param {Slide} slide */
  function drawOtherPick(slide) {
    const isPressed = other !== null && isSame(slide, other);
    return drawMarked(slide, isPressed, `Compare with ${nameSlide(slide)}`, () => {
      other = slide;
      paintStage();
      focusPressed();
    });
  }

  function focusPressed() {
    /** @type {HTMLElement | null} */
    const pressed = picks.querySelector('[aria-pressed="true"]');
    pressed?.focus({ preventScroll: true });
  }

  function paintPicks() {
    picks.hidden = slides.length < 2;
    if (other) {
      const words = make("span", { textContent: "Compare with" });
      picks.replaceChildren(words, ...listOthers().map(drawOtherPick));
    } else {
      const drawn = slides.map((slide, index) => {
        return drawMarked(slide, index === at, `Show ${nameSlide(slide)}`, () => {
          show(index);
          focusPressed();
        });
      });
      picks.replaceChildren(...drawn);
    }
    const pressed = picks.querySelector('[aria-pressed="true"]');
    pressed?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  async function paintSide() {
    const slide = slides[at];
    paintFacts(slide, null);
    const job = await desk.read(slide.job.token);
    const isShown = dialog.open && slides[at] && isSame(slides[at], slide);
    if (job && isShown) paintFacts(slide, job);
  }

  /**
   * @param {Slide} slide
   * @param {OpenJob | null} job null before its settings are known
   */
  function paintFacts(slide, job) {
    const facts = job ? nameFacts(job, job.results[slide.place]) : "";
    const focused = side.contains(document.activeElement) ? document.activeElement : null;
    const choices = drawMain(slide, desk, "cg-small");
    /** @type {HTMLButtonElement} */
    const more = press("cg-small", "⋯", () => offer(slide, more), { label: "More" });
    more.setAttribute("aria-haspopup", "dialog");
    side.replaceChildren(
      make("h3", { textContent: slide.job.title }),
      say("cg-info", facts),
      make("div", { className: "cg-large-choices" }, ...choices, compare, more),
      job ? drawSettings(job.values) : "",
    );
    if (!focused) return;
    const again = [...side.querySelectorAll("button, a, select")].find((one) => {
      return one.textContent === focused.textContent;
    });
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  function follow(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.matches(HAS_OWN_ARROWS)) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by !== undefined) step(by);
    else if (other !== null || !zoom.followKey(event.key)) return;
    event.preventDefault();
  }

  back.addEventListener("click", () => step(-1));
  on.addEventListener("click", () => step(1));
  find(dialog, "cg-dialog-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", follow);
  dialog.addEventListener("close", () => {
    // Else a video or a sound would go on.
    media.replaceChildren();
    side.replaceChildren();
    picks.replaceChildren();
    if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
  });
  closeFromOutside(dialog);
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  return { open, close: () => dialog.close() };
}
