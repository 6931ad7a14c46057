// How many other tabs of this browser have a stream. It has six connections to a server, for all of
// its tabs.

/** How many tabs may have one; more ask instead. */
const MOST_TABS = 3;

/** What a tab tells the others. @typedef {{ me: string, left?: boolean }} Told */

/** Firefox has none where storage is off. */
function openChannel() {
  try {
    return new BroadcastChannel("comfygradio");
  } catch {
    return null;
  }
}

/**
 * @param {object} options
 * @param {() => boolean} options.isStreaming whether this tab has a stream
 * @param {() => void} options.giveWay is called when too many tabs took one later
 */
export function createOtherTabs({ isStreaming, giveWay }) {
  const me = Math.random().toString(36).slice(2);
  /** The tabs that took a stream later than this one, and have it. @type {Set<string>} */
  let later = new Set();
  const channel = openChannel();

  function areMany() {
    return later.size >= MOST_TABS;
  }

  /** Tell the others that this tab takes a stream now. */
  function tell() {
    later = new Set();
    channel?.postMessage({ me });
  }

  /** Tell the others that this tab has no stream any more. */
  function tellLeft() {
    channel?.postMessage({ me, left: true });
  }

  /** @param {Told} told */
  function hear({ me: other, left = false }) {
    if (other === me) return;
    if (left) {
      later.delete(other);
      return;
    }
    later.add(other);
    if (isStreaming() && areMany()) giveWay();
  }

  if (channel) channel.onmessage = ({ data }) => hear(data);

  return { areMany, tell, tellLeft };
}
