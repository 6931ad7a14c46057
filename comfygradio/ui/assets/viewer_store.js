// What a tab remembers of its jobs, so that a reload finds them, and the browser for tabs that are new. Where storage is
// off, a tab that comes back finds nothing.
const TAB = "comfygradio.job", BATCH = "comfygradio.batch", ALL = "comfygradio.jobs", MOST_TOKENS = 20;

const read = (store, key, fallback) => {
  try { return JSON.parse(store.getItem(key)) ?? fallback; } catch { return fallback; }
};
const keep = (store, key, value) => {
  try { store.setItem(key, JSON.stringify(value)); } catch { /* storage is off */ }
};
const readTokens = (store, key) => {
  const tokens = read(store, key, []);
  return Array.isArray(tokens) ? tokens.filter((token) => typeof token === "string") : [];
};

// The jobs of this tab; for a new tab those that no tab of this browser has seen to their end.
function readBatch() {
  const own = readTokens(sessionStorage, BATCH);
  return own.length ? own : readTokens(localStorage, ALL);
}

function remember(shown, jobs) {
  keep(sessionStorage, TAB, shown);
  keep(sessionStorage, BATCH, jobs.map((one) => one.token));
  const known = new Map(jobs.map((one) => [one.token, isOver(one)]));
  const others = readTokens(localStorage, ALL).filter((token) => !known.has(token));
  const open = jobs.filter((one) => !isOver(one)).map((one) => one.token);
  keep(localStorage, ALL, [...others, ...open].slice(-MOST_TOKENS));
}

function forgetToken(token) {
  keep(localStorage, ALL, readTokens(localStorage, ALL).filter((one) => one !== token));
  try {
    sessionStorage.removeItem(TAB);
    sessionStorage.removeItem(BATCH);
  } catch { /* storage is off */ }
}

const isOver = (one) => ["done", "failed", "stopped"].includes(one.phase);
