// Says when the forms have changed since this page was loaded, and keeps what was typed over a reload.
(() => {
  const KEPT = "comfygradio.typed", EVERY_MS = 4000, SEEN_MS = 50, SETTLE_MS = 250, SETTLE_FRAMES = 10;
  const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
  const isText = (box) => box.matches?.(".cg-panel [id^='cg-'] :is(textarea, input[type=text], input[type=number])") && !box.closest(".cg-combo") && box.getAttribute("role") !== "listbox" && !box.readOnly;
  const texts = () => [...document.querySelectorAll(".cg-panel [id^='cg-'] :is(textarea, input)")].filter(isText);
  const place = (box) => {
    const field = box.closest("[id^='cg-']");
    return field.id + "/" + [...field.querySelectorAll("input, textarea")].indexOf(box);
  };
  const typed = {};   // also what was typed into forms that are not shown now
  const kept = storage.read("tab", KEPT, {});
  storage.drop("tab", KEPT);

  function keep() {
    for (const box of texts()) if (place(box) in typed) typed[place(box)] = box.value;
    storage.keep("tab", KEPT, { ...kept, ...typed });
  }
  const afterFrames = (left, then) => requestAnimationFrame(() => (left ? afterFrames(left - 1, then) : then()));
  const settling = new Set();
  function restore() {   // each box once, some frames after it appeared: Gradio 6.31 sets what it reveals once more
    for (const at of texts().map(place)) {
      if (!(at in kept) || settling.has(at)) continue;
      settling.add(at);
      setTimeout(() => afterFrames(SETTLE_FRAMES, () => put(at)), SETTLE_MS);
    }
  }
  function put(at) {
    const box = texts().find((one) => place(one) === at), value = kept[at];
    settling.delete(at);
    if (!box) return;   // gone again: it waits for the next time
    delete kept[at];
    if (value === undefined || value === box.value) return;
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, value);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  function announce(text, action) {
    if (document.getElementById("cg-changed")) return;
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: action });
    again.addEventListener("click", () => { for (const box of texts()) typed[place(box)] = box.value; location.reload(); });
    const bar = Object.assign(document.createElement("div"), { id: "cg-changed", textContent: `${text} What you typed is kept. ` });
    bar.setAttribute("role", "status");
    bar.append(again);
    document.body.append(bar);
    document.querySelectorAll(".cg-generate").forEach((button) => { button.disabled = true; });
  }
  async function look() {
    const mark = document.getElementById("cg-revision");
    if (document.hidden || !mark) return;
    try {
      const answer = await fetch(link("gradio_api/comfygradio/revision"));
      if (answer.status === 401) announce("You are no longer logged in.", "Log in");
      else if (answer.ok && (await answer.text()) !== mark.dataset.revision) announce("The forms have changed.", "Reload");
    } catch { /* the app is away for a moment */ }
  }
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("input", ({ target }) => {
    if (!isText(target)) return;
    delete kept[place(target)];
    typed[place(target)] = target.value;
  });
  addEventListener("pagehide", keep);   // Gradio reloads the page by itself when the app was away
  let looking = null;
  const drawn = new MutationObserver(() => {
    if (!Object.keys(kept).length) return drawn.disconnect();
    looking ??= setTimeout(() => { looking = null; restore(); }, SEEN_MS);
  });
  drawn.observe(document.documentElement, { childList: true, subtree: true });
})();
