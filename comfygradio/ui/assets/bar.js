// Keeps Generate, the progress and the picture in view, as far as style alone cannot know how. It tells the style by
// marks on #cg-main:
//   --cg-top    where the form and the picture begin, in pixels from the top of the page
//   data-phase  the phase of the job that is shown
//   data-at     "picture" where the upper half of the window shows the picture, else "form"
//   data-turn   there while the phone's bar has a button that leads to the picture or back to the form
//   data-dock   "away" while the bar at the bottom of a phone would be in the way
(() => {
  const DOCK_PX = 96;       // more than the height of a phone's bar
  const KEYBOARD_PX = 120;  // less than the height of any keyboard on a screen
  const main = element.closest("#cg-main"), form = main.querySelector("#cg-form"), side = main.querySelector("#cg-side");
  const view = element.querySelector(".cg-view"), turn = element.querySelector(".cg-turn");
  const phone = matchMedia("(max-width: 767px)"), touch = matchMedia("(pointer: coarse)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const choosePace = () => (calm.matches ? "auto" : "smooth");

  // Only a page that covers the whole screen is told how much of it the screen's corners take.
  const viewport = document.querySelector("meta[name=viewport]");
  if (viewport && !viewport.content.includes("viewport-fit")) viewport.content += ", viewport-fit=cover";

  function measure() {
    if (!main.offsetParent) return;   // another page is shown
    main.style.setProperty("--cg-top", Math.round(main.getBoundingClientRect().top + scrollY) + "px");
  }
  const above = new ResizeObserver(measure);
  for (const node of main.parentElement.children) if (node !== main) above.observe(node);
  addEventListener("resize", measure);

  // A press on Generate shows the picture's side from its top, and so does a page that comes back to a running job.
  let token = view.dataset.token, isPressed = false, isLoaded = false, left = 0;
  const isRunning = () => ["waiting", "running"].includes(view.dataset.phase);

  function follow() {
    main.dataset.phase = view.dataset.phase;
    const isNew = view.dataset.token !== token;
    token = view.dataset.token;
    if (isNew && (isPressed || (!isLoaded && isRunning()))) reveal();
    if (isNew) {
      isPressed = false;
      isLoaded = true;
    }
    paintTurn();
  }

  function reveal() {
    if (!phone.matches) return;
    if (main.dataset.at !== "picture") left = scrollY;
    if (isText(document.activeElement)) document.activeElement.blur();   // puts the keyboard away
    side.scrollIntoView({ behavior: choosePace(), block: "start" });
  }

  function goBack() {
    const panel = [...form.querySelectorAll(".cg-panel")].find((one) => one.offsetParent);
    if (panel) panel.tabIndex = -1;
    panel?.focus({ preventScroll: true });
    scrollTo({ top: left, behavior: choosePace() });
  }

  function paintTurn() {
    const isThere = main.dataset.at === "picture";
    turn.textContent = isThere ? "Edit" : "Picture";
    turn.title = isThere ? "Back to the form" : "Show the picture";
    turn.hidden = !isThere && !isRunning();
    main.toggleAttribute("data-turn", !turn.hidden);
  }

  turn.addEventListener("click", () => {
    if (main.dataset.at === "picture") goBack();
    else reveal();
  });
  new MutationObserver(follow).observe(view, { attributeFilter: ["data-phase", "data-token"] });
  new IntersectionObserver((changes) => {
    main.dataset.at = changes.at(-1).isIntersecting ? "picture" : "form";
    paintTurn();
  }, { root: document, rootMargin: "0px 0px -50%" }).observe(side);

  // The bar goes where it stands in the form while somebody types, or paints where it would be.
  let isTyping = false, isCovered = false, strip = null;
  const painted = new Set();
  const isText = (node) => !!node?.matches?.("textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file], [type=color], [readonly])");
  const isGenerate = (node) => !!node?.closest?.(".cg-dock");

  function place() {
    main.dataset.dock = isTyping || isCovered || painted.size ? "away" : "there";
  }

  document.addEventListener("focusin", ({ target }) => {
    if (isGenerate(target)) return;   // it stays under the finger until it is pressed
    isTyping = touch.matches && isText(target);
    place();
  });
  document.addEventListener("focusout", ({ relatedTarget }) => {
    if (isGenerate(relatedTarget)) return;
    isTyping = false;
    place();
  });
  document.addEventListener("click", ({ target }) => {
    if (!isGenerate(target)) return;
    isPressed = !isRunning();   // a further job of a tab waits behind the one that is shown
    if (isRunning()) reveal();
    isTyping = false;
    place();
  }, true);

  const seen = window.visualViewport;
  seen?.addEventListener("resize", () => {
    const was = isCovered;
    isCovered = document.documentElement.clientHeight - seen.height * seen.scale > KEYBOARD_PX;
    if (was && !isCovered) isTyping = false;   // the keyboard was put away, the cursor stays in its field
    place();
  });

  function watchMasks() {
    strip?.disconnect();
    painted.clear();
    strip = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) painted[isIntersecting ? "add" : "delete"](target);
      place();
    }, { root: document, rootMargin: `${DOCK_PX - innerHeight}px 0px 0px` });
    for (const mask of form.querySelectorAll(".cg-mask")) strip.observe(mask);
  }
  let masks = 0;
  new MutationObserver(() => {   // a form is mounted when it is first chosen
    const count = form.querySelectorAll(".cg-mask").length;
    if (count !== masks) watchMasks();
    masks = count;
  }).observe(form, { childList: true, subtree: true });
  addEventListener("resize", watchMasks);

  measure();
  follow();
  place();
  watchMasks();
})();
