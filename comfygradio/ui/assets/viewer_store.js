// What a tab remembers of its jobs, so that a reload finds them, and the browser for tabs that are new. Where storage is
// off, a tab that comes back finds nothing.
const TAB = "comfygradio.job", BATCH = "comfygradio.batch", ALL = "comfygradio.jobs", MOST_TOKENS = 20;

const readTokens = (where, key) => {
  const tokens = storage.read(where, key, []);
  return Array.isArray(tokens) ? tokens.filter((token) => typeof token === "string") : [];
};

// The jobs of this tab; for a new tab those that no tab of this browser has seen to their end.
function readBatch() {
  const own = readTokens("tab", BATCH);
  return own.length ? own : readTokens("all", ALL);
}

function remember(shown, jobs) {
  storage.keep("tab", TAB, shown);
  storage.keep("tab", BATCH, jobs.map((one) => one.token));
  const known = new Map(jobs.map((one) => [one.token, isOver(one)]));
  const others = readTokens("all", ALL).filter((token) => !known.has(token));
  const open = jobs.filter((one) => !isOver(one)).map((one) => one.token);
  storage.keep("all", ALL, [...others, ...open].slice(-MOST_TOKENS));
}

function forgetToken(token) {
  storage.keep("all", ALL, readTokens("all", ALL).filter((one) => one !== token));
  storage.drop("tab", TAB);
  storage.drop("tab", BATCH);
}

const isOver = (one) => ["done", "failed", "stopped"].includes(one.phase);
