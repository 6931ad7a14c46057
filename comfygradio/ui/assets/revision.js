// Says when the forms have changed since this page was loaded, and keeps what was typed over the reload.
(() => {
  const KEPT = "comfygradio.typed", EVERY_MS = 4000;
  const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
  const texts = () => [...document.querySelectorAll(".cg-panel [id^='cg-'] textarea, .cg-panel [id^='cg-'] input[type=text], .cg-panel [id^='cg-'] input[type=number]")]
    .filter((box) => !box.closest(".cg-combo") && box.getAttribute("role") !== "listbox" && !box.readOnly);
  const place = (box) => {
    const field = box.closest("[id^='cg-']");
    return field.id + "/" + [...field.querySelectorAll("input, textarea")].indexOf(box);
  };

  function keep() {
    const typed = Object.fromEntries(texts().map((box) => [place(box), box.value]));
    try { sessionStorage.setItem(KEPT, JSON.stringify(typed)); } catch { /* storage is off */ }
  }
  function restore() {
    let typed;
    try { typed = JSON.parse(sessionStorage.getItem(KEPT)); sessionStorage.removeItem(KEPT); } catch { return; }
    if (!typed) return;
    for (const box of texts()) {
      const value = typed[place(box)];
      if (value === undefined || value === box.value) continue;
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, value);
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  function announce() {
    if (document.getElementById("cg-changed")) return;
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Reload" });
    again.addEventListener("click", () => { keep(); location.reload(); });
    const bar = Object.assign(document.createElement("div"), { id: "cg-changed", textContent: "The forms have changed. What you typed is kept. " });
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
      if (answer.ok && (await answer.text()) !== mark.dataset.revision) announce();
    } catch { /* the app is away for a moment */ }
  }
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  const waiting = setInterval(() => {
    if (!document.querySelector(".cg-panel")) return;
    clearInterval(waiting);
    setTimeout(restore, 300);
  }, 100);
})();
