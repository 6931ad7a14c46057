// How many other tabs of this browser have a stream. It has six connections to a server, for all of
// its tabs.

/** How many tabs may have one; more ask instead. */
const MOST_TABS = 3;

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
  /** The tabs that took a stream later than this one. @type {Set<string>} */
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

  if (channel) {
    channel.onmessage = ({ data }) => {
      if (!isStreaming() || data.me === me) return;
      later.add(data.me);
      if (areMany()) giveWay();
    };
  }

  return { areMany, tell };
}
