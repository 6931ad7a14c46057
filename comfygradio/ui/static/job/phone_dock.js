// The bar with Generate at the bottom of a phone. It goes where it stands in the form while somebody
// types, or paints where it would be: `data-dock` of #cg-main is "away" then, else "there".

/** More than the height of the bar. */
const DOCK_PX = 96;

/** Less than the height of any keyboard on a screen. */
const KEYBOARD_PX = 120;

const TEXT_BOX =
  "textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file], [type=color], " +
  "[readonly])";

const TOUCH = matchMedia("(pointer: coarse)");

/** @param {EventTarget | null} node */
export function isTextBox(node) {
  return node instanceof Element && node.matches(TEXT_BOX);
}

/** @param {EventTarget | null} node */
export function isInDock(node) {
  return node instanceof Element && node.closest(".cg-dock") !== null;
}

/** @param {HTMLElement} main */
export function followDock(main) {
  const form = /** @type {HTMLElement} */ (main.querySelector("#cg-form"));
  let isTyping = false;
  let isCovered = false;
  /** The mask editors that are where the bar would be. @type {Set<Element>} */
  const masks = new Set();

  function place() {
    const isAway = isTyping || isCovered || masks.size > 0;
    main.dataset.dock = isAway ? "away" : "there";
  }

  document.addEventListener("focusin", ({ target }) => {
    // It stays under the finger until it is pressed.
    if (isInDock(target)) return;
    isTyping = TOUCH.matches && isTextBox(target);
    place();
  });
  document.addEventListener("focusout", ({ relatedTarget }) => {
    if (isInDock(relatedTarget)) return;
    isTyping = false;
    place();
  });

  /** @param {MouseEvent} event */
  function noteGenerate({ target }) {
    if (!isInDock(target)) return;
    isTyping = false;
    place();
  }

  document.addEventListener("click", noteGenerate, true);

  const seen = window.visualViewport;
  seen?.addEventListener("resize", () => {
    const wasCovered = isCovered;
    const shown = seen.height * seen.scale;
    isCovered = document.documentElement.clientHeight - shown > KEYBOARD_PX;
    // The keyboard was put away; the cursor stays in its field.
    if (wasCovered && !isCovered) isTyping = false;
    place();
  });

  followMasks(
    form,
    (mask, isInPlace) => {
      if (isInPlace) masks.add(mask);
      else masks.delete(mask);
      place();
    },
    () => masks.clear(),
  );
  place();
}

/**
 * Tell of each mask editor whether it is where the bar would be.
 *
 * @param {HTMLElement} form
 * @param {(mask: Element, isInPlace: boolean) => void} tell
 * @param {() => void} forget is called before all are told anew
 */
function followMasks(form, tell, forget) {
  /** @type {IntersectionObserver | null} */
  let strip = null;
  let count = 0;

  function watch() {
    strip?.disconnect();
    forget();
    const watching = new IntersectionObserver(
      (changes) => {
        for (const { target, isIntersecting } of changes) tell(target, isIntersecting);
      },
      { root: document, rootMargin: `${DOCK_PX - innerHeight}px 0px 0px` },
    );
    strip = watching;
    for (const mask of form.querySelectorAll(".cg-mask")) watching.observe(mask);
  }

  // A form is mounted when it is first chosen.
  const forms = new MutationObserver(() => {
    const now = form.querySelectorAll(".cg-mask").length;
    if (now !== count) watch();
    count = now;
  });
  forms.observe(form, { childList: true, subtree: true });
  addEventListener("resize", watch);
  watch();
}
