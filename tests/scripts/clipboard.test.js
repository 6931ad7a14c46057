// How a text is copied where the browser has a clipboard for the page, and where it has none.

import { deepEqual, equal } from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { copyText } from "../../comfygradio/ui/static/library/clipboard.js";

/** What happens to the page, in its order. @type {string[]} */
let done = [];

class Element {
  constructor(/** @type {string} */ name) {
    this.name = name;
    this.value = "";
  }

  /** @param {Element} other */
  append(other) {
    done.push(`${this.name} has ${other.name}`);
  }

  select() {
    done.push(`selected ${this.value}`);
  }

  remove() {
    done.push(`removed ${this.name}`);
  }

  focus() {
    done.push(`focused ${this.name}`);
  }
}

/**
 * @param {object} options
 * @param {object} [options.clipboard] what browsers have for a page from a safe address
 * @param {Element[]} [options.dialogs] those that are open
 * @param {boolean} [options.mayCopy] whether the old way works
 */
function open({ clipboard, dialogs = [], mayCopy = true }) {
  const page = {
    activeElement: new Element("button"),
    body: new Element("page"),
    createElement: (/** @type {string} */ name) => new Element(name),
    querySelectorAll: () => dialogs,
    execCommand: () => mayCopy,
  };
  for (const [name, value] of Object.entries({ document: page, navigator: { clipboard } })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  Object.assign(globalThis, { HTMLElement: Element });
}

beforeEach(() => {
  done = [];
});

test("a browser that has a clipboard gets the text", async () => {
  open({ clipboard: { writeText: async (/** @type {string} */ text) => done.push(text) } });
  equal(await copyText("a command"), true);
  deepEqual(done, ["a command"]);
});

test("without one the text is selected and copied, and the keyboard stays where it was", async () => {
  open({});
  equal(await copyText("a command"), true);
  deepEqual(done, [
    "page has textarea",
    "selected a command",
    "removed textarea",
    "focused button",
  ]);
});

test("nothing outside of the uppermost dialog can be selected", async () => {
  open({ dialogs: [new Element("dialog"), new Element("question")] });
  equal(await copyText("a command"), true);
  equal(done[0], "question has textarea");
});

test("a browser that refuses both has copied nothing", async () => {
  const writeText = () => Promise.reject(new Error("not allowed"));
  open({ clipboard: { writeText }, mayCopy: false });
  equal(await copyText("a command"), false);
});
