// Says which models a form lacks and how to get them, to operators and authors alone.

/** @import { Part } from "../library/part.js" */

import { copyText } from "../library/clipboard.js";
import { make, press, say } from "../library/elements.js";

/** How long a button says that it has copied. */
const SAID_MS = 2500;

const COPY = "Copy the download command";
const COPY_ALL = "Copy all download commands";

const ADVICE =
  "Run it in ComfyUI's folder on its machine, in a POSIX shell (on Windows: Git Bash or WSL). " +
  "Then choose “New models? Look again”.";

/**
 * A model that the server lacks.
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {string} folder
 * @property {string} url
 * @property {string} size "" if nobody knows
 * @property {string} command
 */

/**
 * Select the text of an element, for people whose browser does not let the page copy.
 *
 * @param {Node} node
 */
function select(node) {
  const selection = getSelection();
  selection?.selectAllChildren(node);
}

/**
 * Make a button that copies a text, and that text, which can be read before.
 *
 * @param {string} label
 * @param {string} text
 */
function drawCopy(label, text) {
  const code = make("pre", { className: "cg-command", textContent: text });
  let timer = 0;

  /** @param {string} said */
  function announce(said) {
    button.textContent = said;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
    }, SAID_MS);
  }

  async function copy() {
    if (await copyText(text)) {
      announce("Copied");
      return;
    }
    shown.open = true;
    select(code);
    announce("Press Ctrl+C to copy");
  }

  const button = press("cg-small", label, copy);
  button.setAttribute("aria-live", "polite");
  const summary = make("summary", { textContent: "Show the command" });
  const shown = make("details", {}, summary, code);
  return make("div", { className: "cg-lacking-copy" }, button, shown);
}

/** @param {Model} model */
function drawModel({ name, folder, url, size, command }) {
  const place = size ? `${size}, into models/${folder}` : `into models/${folder}`;
  return make(
    "li",
    {},
    make("b", { textContent: name }),
    say("cg-info", place),
    // The address comes from a foreign file: it is shown, and leads nowhere.
    say("cg-lacking-url", url),
    drawCopy(COPY, command),
  );
}

/** @param {Part} part */
export function mount({ element, props, watch }) {
  const root = /** @type {HTMLElement} */ (element.querySelector(".cg-lacking"));
  let painted = "";

  function paint() {
    /** @type {Model[]} */
    const models = props.value?.models ?? [];
    const told = JSON.stringify(models);
    // What people have unfolded or focused stays while nothing is new.
    if (told === painted) return;
    painted = told;
    root.hidden = models.length === 0;
    const items = models.map(drawModel);
    root.replaceChildren(
      make("b", { textContent: "Models that this ComfyUI does not have" }),
      make("ul", {}, ...items),
    );
    if (models.length > 1) root.append(drawCopy(COPY_ALL, props.value.commands));
    root.append(say("cg-info", ADVICE));
  }

  watch("value", paint);
  paint();
}
