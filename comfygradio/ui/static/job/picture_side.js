// Leads a phone, which has the form and the picture below each other, from one to the other. It
// tells the style by marks on #cg-main:
//   data-phase  the phase of the job that is shown
//   data-at     "picture" where the upper half of the window shows the picture, else "form"
//   data-turn   there while the phone's bar has a button that leads to the picture or back

import { find } from "../library/template.js";
import { wasGeneratePressed } from "./generate_button.js";
import { isInDock, isTextBox } from "./phone_dock.js";

const PHONE = matchMedia("(max-width: 767px)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** @returns {ScrollBehavior} */
function choosePace() {
  return CALM.matches ? "auto" : "smooth";
}

/**
 * @param {HTMLElement} main the form and the picture's side together
 * @param {HTMLElement} view
 */
export function followSides(main, view) {
  const form = /** @type {HTMLElement} */ (main.querySelector("#cg-form"));
  const side = /** @type {HTMLElement} */ (main.querySelector("#cg-side"));
  const turn = find(view, "cg-turn");
  let token = view.dataset.token;
  /** Whether Generate was pressed, and its job is not shown yet. */
  let isPressed = wasGeneratePressed();
  /** Whether any job was shown. */
  let hasShown = false;
  /** Where the form was left, in pixels from the top of the page. */
  let left = 0;

  function isRunning() {
    return ["waiting", "running"].includes(view.dataset.phase ?? "");
  }

  function isAtPicture() {
    return main.dataset.at === "picture";
  }

  // A press on Generate shows the picture's side from its top, and so does a page that comes back
  // to a running job.
  function follow() {
    main.dataset.phase = view.dataset.phase;
    const isNew = view.dataset.token !== token;
    token = view.dataset.token;
    const isAwaited = isPressed || (!hasShown && isRunning());
    if (isNew) {
      if (isAwaited) reveal();
      isPressed = false;
      hasShown = true;
    }
    paintTurn();
  }

  function reveal() {
    if (!PHONE.matches) return;
    if (!isAtPicture()) left = scrollY;
    const focused = document.activeElement;
    // Puts the keyboard away.
    if (focused instanceof HTMLElement && isTextBox(focused)) focused.blur();
    side.scrollIntoView({ behavior: choosePace(), block: "start" });
  }

  function goBack() {
    /** @type {NodeListOf<HTMLElement>} */
    const panels = form.querySelectorAll(".cg-panel");
    const panel = [...panels].find((one) => one.offsetParent);
    if (panel) {
      panel.tabIndex = -1;
      panel.focus({ preventScroll: true });
    }
    scrollTo({ top: left, behavior: choosePace() });
  }

  function paintTurn() {
    const isThere = isAtPicture();
    turn.textContent = isThere ? "Edit" : "Picture";
    turn.title = isThere ? "Back to the form" : "Show the picture";
    turn.hidden = !isThere && !isRunning();
    main.toggleAttribute("data-turn", !turn.hidden);
  }

  turn.addEventListener("click", () => {
    if (isAtPicture()) goBack();
    else reveal();
  });

  /** @param {MouseEvent} event */
  function noteGenerate({ target }) {
    if (!isInDock(target)) return;
    // A further job of a tab waits behind the one that is shown.
    isPressed = !isRunning();
    if (isRunning()) reveal();
  }

  document.addEventListener("click", noteGenerate, true);
  const changes = new MutationObserver(follow);
  changes.observe(view, { attributeFilter: ["data-phase", "data-token"] });
  const half = new IntersectionObserver(
    (seen) => {
      main.dataset.at = seen.at(-1)?.isIntersecting ? "picture" : "form";
      paintTurn();
    },
    { root: document, rootMargin: "0px 0px -50%" },
  );
  half.observe(side);
  follow();
}
