// Paints the job that the tab shows.
const $ = (name) => element.querySelector(".cg-" + name);
const show = (name, on) => { $(name).hidden = !on; };
const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
const baseTitle = document.title;

function clock(seconds) {
  if (seconds < 9.95) return seconds.toFixed(1) + " s";
  const whole = Math.round(seconds);
  return whole < 60 ? whole + " s" : Math.floor(whole / 60) + " min " + (whole % 60) + " s";
}

function make(tag, props, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
}

function paint(message, isStopping) {
  const view = element.querySelector(".cg-view"), done = isOver(message);
  view.dataset.phase = message.phase;
  view.dataset.token = message.token;
  show("progress", !done);
  $("fill").style.transform = `translateX(${message.percent - 100}%)`;
  $("bar").setAttribute("aria-valuenow", message.percent);
  $("line").textContent = isStopping && !done ? "Stopping" : message.line;
  $("line").classList.toggle("cg-told", !!message.told && !isStopping);
  $("line").title = [message.told && message.line, message.detail].filter(Boolean).join("\n");
  $("time").textContent = message.silent ? "" : [message.percent > 0 && Math.floor(message.percent) + " %", message.left].filter(Boolean).join(" · ");
  paintFailure(message);
  $("warnings").replaceChildren(...message.warnings.map((text) => make("li", { textContent: text })));
  show("warnings", message.warnings.length > 0);
  if (done) {
    paintEnd(message);
    return;
  }
  show("caption", false);
  $("stop").setAttribute("aria-disabled", isStopping);   // a disabled one would lose the keyboard
}

function paintEnd(message) {
  const words = { done: "in " + clock(message.seconds), stopped: "stopped early", failed: "not finished" };
  $("summary").textContent = [message.title, words[message.phase], message.seed && "seed " + message.seed].filter(Boolean).join(" · ");
  $("reuse").hidden = !message.seed;
  $("reuse").onclick = () => fillSeed(message.preset, message.seed);
  window.comfygradioSeed = message.seed;
  show("caption", true);
  const there = message.results.filter((result) => result.url || result.kind === "text");   // not what could not be fetched
  show("nothing", message.phase === "stopped" && !there.length && $("frame").hidden);
  if (there.length) {
    $("results").replaceChildren(...there.map((result, index) => card(result, describeResult(message.title, index, there.length))));
    $("results").dataset.count = there.length;
    settle(message.token);
  } else if (message.phase === "done") clearFrame();
}

// What went wrong stands over the last preview, or below the results where some are whole: nothing should hide those.
function paintFailure(message) {
  const failure = $("failure"), stage = element.querySelector(".cg-stage");
  failure.hidden = !message.headline;
  if (failure.hidden) return;
  const isWhole = message.results.some((result) => !result.partial && (result.url || result.kind === "text"));
  if (isWhole && failure.parentElement === stage) stage.after(failure);
  if (!isWhole && failure.parentElement !== stage) stage.append(failure);
  if (failure.dataset.token !== message.token) $("details").open = false;
  failure.dataset.token = message.token;
  if ($("headline").textContent !== message.headline) $("headline").textContent = message.headline;
  $("error").textContent = message.error;
  show("details", !!message.error);
  show("again", !!findGenerate(message.preset));
  show("smaller", !!message.smaller && !!findGenerate(message.preset));
  $("smaller").title = message.smaller ? "With " + message.smaller.replace("x", " × ") + " pixels" : "";
  $("again").onclick = () => pressGenerate(message.preset);
  $("smaller").onclick = () => {
    window.comfygradioAgain = () => pressGenerate(message.preset);   // once the form has the smaller size
    trigger("smaller", { token: message.token });
  };
}

$("details").addEventListener("toggle", () => { if ($("details").open) $("error").scrollIntoView({ block: "nearest" }); });

const findGenerate = (preset) => document.querySelector(`#cg-panel-${CSS.escape(preset)} .cg-generate`);

function pressGenerate(preset) {   // of the form that a job came from, which is shown: it may have to say what is wrong
  const pick = [...document.querySelectorAll("#cg-chooser input[type=radio]")].find((one) => one.value === preset);
  if (pick && !pick.checked) pick.click();
  findGenerate(preset)?.click();
}

async function settle(token) {   // the last preview stays until the picture itself can be shown
  await Promise.allSettled([...$("results").querySelectorAll("img")].map((image) => image.decode()));
  if (element.querySelector(".cg-view").dataset.token === token) clearFrame();
}

async function paintFrame(uri, token) {
  const old = $("frame"), frame = make("img", { className: "cg-frame", alt: old.alt, src: uri });
  try { await frame.decode(); } catch { return; }
  const { token: shown, phase } = element.querySelector(".cg-view").dataset;
  if (shown !== token || isOver({ phase })) return;
  old.replaceWith(frame);   // decoded already, so it is painted with the next frame of the screen
  $("results").replaceChildren();   // those of the job before
}

function clearFrame() {
  $("frame").hidden = true;
  $("frame").removeAttribute("src");
}

function clearStage() {
  clearFrame();
  show("nothing", false);
  show("failure", false);
  $("results").replaceChildren();
}

function paintNothing() {
  element.querySelector(".cg-view").dataset.phase = "idle";
  show("progress", false);
  show("failure", false);
  clearFrame();
}

const describeResult = (title, index, count) => (count > 1 ? `${title}, picture ${index + 1} of ${count}` : title);

function card(result, words) {
  if (result.kind === "text") return make("pre", { className: "cg-text", textContent: result.text });
  const url = link(result.url), shown = link(result.display);
  const save = make("a", { className: "cg-save", href: url, download: result.name, textContent: "Download", title: "Download " + result.name });
  const size = [result.partial && "Not finished", result.width && result.width + " × " + result.height].filter(Boolean).join(" · ");
  const foot = make("figcaption", {}, make("span", { textContent: size }), save);
  return make("figure", { className: "cg-card" }, media(result, url, shown, words), foot);
}

function media(result, url, shown, words) {
  if (result.kind === "video") return make("video", { ariaLabel: words, src: url, controls: true, loop: true, muted: true, playsInline: true });
  if (result.kind === "audio") return make("audio", { ariaLabel: words, src: url, controls: true });
  if (result.kind !== "image") return make("a", { href: url, textContent: result.name, className: "cg-file" });
  const image = make("img", { src: shown, alt: words, width: result.width, height: result.height });
  return make("a", { href: url, target: "_blank", rel: "noopener", title: "Open in full size" }, image);
}

function fillSeed(preset, seed) {
  const fields = [...document.querySelectorAll(".cg-panel .cg-seed :is(textarea, input)")];
  const field = fields.find((one) => one.closest("#cg-panel-" + preset)) ?? fields.find((one) => one.checkVisibility());
  if (!field || !seed) return;
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, seed);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
