// Tells the style where the form and the picture begin, as far as style alone cannot know: `--cg-top`
// of #cg-main is in pixels from the top of the page.

/** @param {HTMLElement} main */
export function keepTop(main) {
  function measure() {
    // Another page is shown.
    if (!main.offsetParent) return;
    const top = Math.round(main.getBoundingClientRect().top + scrollY);
    main.style.setProperty("--cg-top", `${top}px`);
  }

  const above = new ResizeObserver(measure);
  for (const node of main.parentElement?.children ?? []) {
    if (node !== main) above.observe(node);
  }
  addEventListener("resize", measure);
  measure();
}

/** Only a page that covers the whole screen is told how much of it the screen's corners take. */
export function coverScreen() {
  /** @type {HTMLMetaElement | null} */
  const viewport = document.querySelector("meta[name=viewport]");
  if (!viewport || viewport.content.includes("viewport-fit")) return;
  viewport.content += ", viewport-fit=cover";
}
