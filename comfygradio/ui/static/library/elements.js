// Makes the elements that the parts of the page are built of.

/**
 * A child of an element; "" and null stand for none, so that a caller can leave one out.
 *
 * @typedef {Node | string | null} Child
 */

/**
 * Make an element with these properties and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<Omit<HTMLElementTagNameMap[Tag], "dataset" | "style" | "children">>} properties
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  for (const child of children) {
    if (child !== null && child !== "") node.append(child);
  }
  return node;
}

/**
 * Make a button that does something when it is pressed.
 *
 * `label` names a button whose text is only a sign. `title` says more about one whose text names it.
 *
 * @param {string} className
 * @param {string} text
 * @param {(event: MouseEvent) => void} action
 * @param {{ label?: string, title?: string }} [names]
 */
export function press(className, text, action, { label = "", title = label } = {}) {
  const button = make("button", { type: "button", className, textContent: text });
  if (label) button.setAttribute("aria-label", label);
  if (title) button.title = title;
  button.addEventListener("click", action);
  return button;
}

/**
 * Make a paragraph.
 *
 * @param {string} className
 * @param {string} text
 */
export function say(className, text) {
  return make("p", { className, textContent: text });
}

/**
 * Make a note that is read out at once: something went wrong.
 *
 * @param {string} text
 */
export function drawAlert(text) {
  const note = make("div", { className: "cg-note" }, make("p", { textContent: text }));
  note.setAttribute("role", "alert");
  return note;
}

/**
 * Make a list with an item for each of these texts.
 *
 * @param {string[]} texts
 */
export function list(texts) {
  const items = texts.map((text) => make("li", { textContent: text }));
  return make("ul", {}, ...items);
}

/**
 * Make something that can be unfolded.
 *
 * @param {string} summary
 * @param {...Child} children
 */
export function fold(summary, ...children) {
  const head = make("summary", { textContent: summary });
  return make("details", { className: "cg-adjusted" }, head, ...children);
}

/**
 * Make a list of which one option is chosen.
 *
 * @param {string} className
 * @param {string} label
 * @param {[string | number, string][]} options the value and the text of each
 * @param {string | number} value
 * @param {(value: string) => void} action gets the value that was chosen
 */
export function choose(className, label, options, value, action) {
  const entries = options.map(([key, text]) => {
    return make("option", { value: String(key), textContent: text });
  });
  const select = make("select", { className }, ...entries);
  select.setAttribute("aria-label", label);
  select.value = String(value);
  select.addEventListener("change", () => action(select.value));
  return select;
}

/**
 * Show a text in an element, which is left alone if it shows that already.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Write into a box of Gradio's as if it was typed: its framework hears only of values that are set
 * past it, and of the event that follows.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} box
 * @param {string} text
 */
export function typeInto(box, text) {
  const setter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")?.set;
  setter?.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
