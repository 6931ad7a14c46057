// Keys: Ctrl or ⌘ with Enter presses Generate of the form that is shown, from wherever the keyboard is; Esc stops the job
// that is shown, after a question where much would be lost. Neither while another page or a dialog is open.
const SHORT_SECONDS = 60;   // a job that has not run for longer is stopped without a question

const isComposing = (event) => event.isComposing || event.keyCode === 229;   // letters of Chinese, say, are being chosen
const isPlainKey = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
const hasOpenList = (node) => node.getAttribute?.("aria-expanded") === "true";
const hasDialog = () => [...document.querySelectorAll("dialog[open], [role=dialog], .block.fullscreen")].some((one) => one.checkVisibility());
const isElsewhere = () => !!document.documentElement.dataset.cgPage || !!document.fullscreenElement || hasDialog();

function findShownGenerate() {
  const panel = [...document.querySelectorAll(".cg-panel")].find((one) => one.checkVisibility());
  return panel?.querySelector(".cg-generate");
}

function pressShownGenerate(field) {
  // What is typed into these boxes counts once they are left.
  if (field.matches?.("input[type=number], input[type=text]")) field.dispatchEvent(new Event("change", { bubbles: true }));
  findShownGenerate()?.click();
}

// The question stands in the place of the progress. It is about one job, and goes with it.
let asked = "", cameFrom = null;

function askBeforeStop() {
  const words = `Stop? ${clock(told.seconds)} would be lost.`;
  asked = shown;
  cameFrom = document.activeElement;
  $("sure-words").textContent = words;
  $("sure").setAttribute("aria-label", words);
  $("sure").hidden = false;
  $("progress").toggleAttribute("data-asks", true);
  $("sure-stop").focus();
}

function closeQuestion() {
  const hasFocus = $("sure").contains(document.activeElement);
  asked = "";
  $("sure").hidden = true;
  $("progress").toggleAttribute("data-asks", false);
  if (hasFocus && cameFrom?.checkVisibility()) cameFrom.focus({ preventScroll: true });
}

function pressEscape() {
  if (asked) closeQuestion();
  else if (told.seconds > SHORT_SECONDS) askBeforeStop();
  else stop(shown);
}

$("sure-stop").addEventListener("click", () => {
  const token = asked;
  closeQuestion();
  if (token) stop(token);
});
$("sure-go").addEventListener("click", closeQuestion);
new MutationObserver(() => {
  if (asked && (asked !== shown || isOver(told))) closeQuestion();
}).observe(element.querySelector(".cg-view"), { attributeFilter: ["data-phase", "data-token"] });

// Before what has the keyboard hears of it: a list takes Enter, and closes with Esc.
document.addEventListener("keydown", (event) => {
  const isGenerate = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const isEscape = event.key === "Escape" && isPlainKey(event) && !hasOpenList(event.target);
  if (!isGenerate && !isEscape) return;
  if (event.repeat || isComposing(event) || isElsewhere()) return;
  if (isGenerate) {
    event.preventDefault();
    event.stopPropagation();
    pressShownGenerate(event.target);
    return;
  }
  const canStop = shown && told?.token === shown && !isOver(told) && !stopping.has(shown);
  if (canStop) pressEscape();
}, true);
