// On a phone the buttons of the chooser are one line that scrolls. The chosen one is brought into
// view when another one is chosen and when the line changes its size or is shown again, whenever
// that is: a busy page is late with both.

/** The line of buttons. @type {HTMLElement | null} */
let line = null;

/** The button that was brought into view last. @type {Element | null} */
let centered = null;

const sizes = new ResizeObserver(center);

function center() {
  const chosen = line?.querySelector("label.selected");
  if (!line || !chosen || !line.clientWidth) return;
  centered = chosen;
  const button = chosen.getBoundingClientRect();
  const whole = line.getBoundingClientRect();
  line.scrollLeft += button.left - whole.left - (whole.width - button.width) / 2;
}

function follow() {
  const chosen = document.querySelector("#cg-chooser label.selected");
  // Gradio may have drawn the buttons anew.
  if (chosen && chosen.parentElement !== line) {
    line = chosen.parentElement;
    sizes.disconnect();
    if (line) for (const node of [line, ...line.children]) sizes.observe(node);
  }
  if (chosen !== centered) center();
}

/** Watch the chooser; false if it is not there yet. */
function attend() {
  const chooser = document.getElementById("cg-chooser");
  if (!chooser) return false;
  const watched = { childList: true, subtree: true, attributeFilter: ["class"] };
  new MutationObserver(follow).observe(chooser, watched);
  follow();
  return true;
}

/** Keep the chosen button in view from now on. */
export function keepChoiceInView() {
  if (attend()) return;
  const drawn = new MutationObserver(() => {
    if (attend()) drawn.disconnect();
  });
  drawn.observe(document.documentElement, { childList: true, subtree: true });
}
