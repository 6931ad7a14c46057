// The card of a ComfyUI server: how it is, its memory, its queue, and what it lacks.

/** @import { Device, Server } from "./server_words.js" */

import { make, setText } from "../library/elements.js";
import { createControls } from "./controls.js";
import { countPercent, nameMemory, nameQueue } from "./server_words.js";

/**
 * Make the card of a server.
 *
 * @param {string} url
 * @param {(verb: string) => Promise<string>} act acts on the server
 */
export function createCard(url, act) {
  const light = make("span", { className: "cg-status-light" });
  const word = make("span", { className: "cg-status-word" });
  const version = make("span", { className: "cg-info" });
  const trouble = make("p", { className: "cg-status-trouble", hidden: true });
  const devices = make("div", { className: "cg-status-devices" });
  const queue = make("p", { className: "cg-status-queue" });
  const lacks = make("ul", { className: "cg-status-lacks", hidden: true });
  const controls = createControls(["free", "interrupt", "clear"], act);
  const root = make(
    "section",
    { className: "cg-status-card" },
    make("h3", { textContent: url }),
    make("div", { className: "cg-status-state" }, light, word, version),
    trouble,
    devices,
    queue,
    lacks,
    controls.root,
  );
  const meters = createMeters(devices);

  /** @param {Server} server */
  function paint(server) {
    light.dataset.up = String(server.up);
    setText(word, server.up ? "Answers" : "Does not answer");
    setText(version, server.version ? `ComfyUI ${server.version}` : "");
    setText(trouble, server.trouble);
    trouble.hidden = !server.trouble;
    meters.paint(server.devices);
    setText(queue, nameQueue(server));
    queue.hidden = server.remaining === null;
    paintLines(lacks, server.lacks);
    controls.show(server.up);
  }

  return { root, paint };
}

/**
 * Make the meters of a server's memories, as many as it has devices.
 *
 * @param {HTMLElement} place
 */
function createMeters(place) {
  /** @type {ReturnType<typeof createMeter>[]} */
  const meters = [];

  /** @param {Device[]} devices */
  function paint(devices) {
    while (meters.length > devices.length) meters.pop()?.root.remove();
    while (meters.length < devices.length) {
      const meter = createMeter();
      meters.push(meter);
      place.append(meter.root);
    }
    for (const [index, device] of devices.entries()) meters[index].paint(device);
  }

  return { paint };
}

function createMeter() {
  const name = make("span");
  const numbers = make("span", { className: "cg-time" });
  const fill = make("div", { className: "cg-fill" });
  const bar = make("div", { className: "cg-bar", ariaLabel: "Memory used" }, fill);
  bar.setAttribute("role", "meter");
  const heading = make("div", { className: "cg-status-device" }, name, numbers);
  const root = make("div", {}, heading, bar);

  /** @param {Device} device */
  function paint(device) {
    const percent = countPercent(device);
    setText(name, device.name);
    setText(numbers, nameMemory(device));
    fill.style.transform = `translateX(${percent - 100}%)`;
    bar.setAttribute("aria-valuenow", String(percent));
  }

  return { root, paint };
}

/**
 * Show these texts in a list, which is left alone if it shows them already.
 *
 * @param {HTMLElement} list
 * @param {string[]} texts
 */
export function paintLines(list, texts) {
  const shown = JSON.stringify(texts);
  if (list.dataset.texts === shown) return;
  list.dataset.texts = shown;
  const items = texts.map((text) => make("li", { textContent: text }));
  list.replaceChildren(...items);
  list.hidden = texts.length === 0;
}
