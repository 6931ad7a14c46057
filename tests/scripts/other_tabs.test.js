// Which tabs of a browser have a stream: at most three, and whoever gave way gets one again.

import { deepEqual, equal } from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { createOtherTabs } from "../../comfygradio/ui/static/job/other_tabs.js";

/** The channels that are open. @type {Set<Channel>} */
const channels = new Set();

/** A channel as browsers have it, but nothing is late. */
class Channel {
  /** @type {(event: { data: object }) => void} */
  onmessage = () => {};

  constructor() {
    channels.add(this);
  }

  /** @param {object} data */
  postMessage(data) {
    for (const other of channels) {
      if (other !== this) other.onmessage({ data });
    }
  }
}

function openTab() {
  const tab = { isStreaming: false, ...createOtherTabs({ isStreaming, giveWay: leave }) };

  function isStreaming() {
    return tab.isStreaming;
  }

  function leave() {
    tab.isStreaming = false;
    tab.tellLeft();
  }

  function take() {
    tab.isStreaming = true;
    tab.tell();
  }

  return { tab, take, leave, areMany: () => tab.areMany() };
}

beforeEach(() => {
  channels.clear();
  Object.assign(globalThis, { BroadcastChannel: Channel });
});

test("the tab that took its stream first gives way, and gets one again", () => {
  const tabs = [1, 2, 3, 4].map(openTab);
  for (const { take } of tabs) take();
  const [first, second, third, fourth] = tabs;
  const whoStreams = () => tabs.map(({ tab }) => tab.isStreaming);
  deepEqual(whoStreams(), [false, true, true, true]);
  equal(first.areMany(), true);
  third.leave();
  equal(first.areMany(), false);
  first.take();
  deepEqual(whoStreams(), [true, true, false, true]);
  equal(second.areMany(), false);
  third.take();
  deepEqual(whoStreams(), [true, false, true, true]);
  fourth.leave();
  equal(second.areMany(), false);
});

test("a tab without a stream counts those that take one meanwhile", () => {
  const waiting = openTab();
  const others = [1, 2, 3].map(openTab);
  for (const { take } of others) take();
  equal(waiting.areMany(), true);
  others[0].leave();
  equal(waiting.areMany(), false);
});

test("where there is no channel, a tab is alone", () => {
  Object.assign(globalThis, { BroadcastChannel: undefined });
  const { take, leave, areMany } = openTab();
  take();
  leave();
  equal(areMany(), false);
});
