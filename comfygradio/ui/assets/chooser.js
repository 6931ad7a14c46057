// Changes forms, and keeps the address, the chooser and the form that is seen together.
window.comfygradioForms = (() => {
  const readPreset = () => new URL(location.href).searchParams.get("preset");
  // The form of an address that names none. It stands in the page, since one may go back before Gradio calls `open`.
  const readLanding = () => document.getElementById("cg-revision")?.dataset.landing;
  let addressed = readPreset();
  const push = history.pushState.bind(history);
  history.pushState = (...all) => { push(...all); addressed = readPreset(); };
  window.addEventListener("popstate", () => {
    const name = readPreset(), isOther = name !== addressed;
    addressed = name;
    const picks = [...document.querySelectorAll("#cg-chooser input[type=radio]")];
    const wanted = name ?? readLanding();
    const pick = picks.find((input) => input.value === wanted);
    if (pick && !pick.checked) pick.click();
    else if (!pick && isOther) location.reload();   // a list instead of buttons
  });

  // Gradio mounts a form when it is first chosen, and never hides it: what it reveals it sets once more some frames
  // later (6.31), over what was chosen or typed meanwhile. Which of them is seen is a line of style.
  const seen = document.head.appendChild(document.createElement("style")), mounted = new Set();
  const select = (name) => "#cg-panel-" + CSS.escape(name);
  function show(name) {
    seen.textContent = `.cg-panel:not(${select(name)}) { display: none !important; }`;
  }
  function mount(name, names) {   // the updates of the forms' columns
    const isNew = name !== readLanding() && !mounted.has(name);
    mounted.add(name);
    show(name);
    return names.map((one) => (isNew && one === name ? { visible: true, __type__: "update" } : undefined));
  }
  function open(names) {   // the form that the address means, and the updates
    const name = readPreset();
    return names.includes(name) ? [name, ...mount(name, names)] : [];
  }
  function address(name) {
    const url = new URL(location.href);
    if ((url.searchParams.get("preset") ?? readLanding()) === name) return;
    url.searchParams.set("preset", name);
    history.pushState({}, "", url);
  }
  // At once: Gradio tells of a choice some frames later, and who goes back before that would leave the page.
  document.addEventListener("change", ({ target }) => {
    if (target.matches("#cg-chooser input[type=radio]")) address(target.value);
  });
  function enter(name) {   // from another page, with the keyboard at its button
    show(name);
    focus(name);
  }
  function focus(name, patience = 50) {   // later: a dialog is open now, and the form may not be mounted
    setTimeout(() => {
      const button = document.querySelector(select(name) + " .cg-generate");
      if (button) button.focus({ preventScroll: true });
      else if (patience) focus(name, patience - 1);
    }, 40);
  }

  // On a phone the buttons are one line that scrolls. The chosen one is brought into view when another one is chosen
  // and when the line changes its size or is shown again, whenever that is: a busy page is late with both.
  let line = null, centered = null;
  const sizes = new ResizeObserver(center);
  function center() {
    const chosen = line?.querySelector("label.selected");
    if (!chosen || !line.clientWidth) return;
    centered = chosen;
    const [one, all] = [chosen, line].map((node) => node.getBoundingClientRect());
    line.scrollLeft += one.left - all.left - (all.width - one.width) / 2;
  }
  function follow() {
    const chosen = document.querySelector("#cg-chooser label.selected");
    if (chosen && chosen.parentElement !== line) {   // Gradio has drawn the buttons (anew)
      line = chosen.parentElement;
      sizes.disconnect();
      for (const node of [line, ...line.children]) sizes.observe(node);
    }
    if (chosen !== centered) center();
  }
  function attend() {
    const chooser = document.getElementById("cg-chooser");
    if (!chooser) return;
    new MutationObserver(follow).observe(chooser, { childList: true, subtree: true, attributeFilter: ["class"] });
    follow();
    return true;
  }
  new MutationObserver((changes, observer) => { if (attend()) observer.disconnect(); }).observe(document.documentElement, { childList: true, subtree: true });
  return { mount, open, address, enter };
})();
