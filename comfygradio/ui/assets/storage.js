// What a browser keeps of a page: for this "tab", or for "all" of its tabs. Storage may be off, and then its very name throws,
// or it may be full: until the page is closed, it remembers by itself.
const storage = (() => {
  const memory = (window.comfygradioMemory ??= new Map());
  const find = (where) => (where === "tab" ? sessionStorage : localStorage);
  const name = (where, key) => where + "/" + key;

  function readText(where, key) {
    if (memory.has(name(where, key))) return memory.get(name(where, key));
    try { return find(where).getItem(key); } catch { return null; }
  }
  function keepText(where, key, text) {
    try {
      find(where).setItem(key, text);
      memory.delete(name(where, key));
    } catch {
      memory.set(name(where, key), text);
    }
  }
  function drop(where, key) {
    memory.delete(name(where, key));
    try { find(where).removeItem(key); } catch { /* nothing is there */ }
  }
  function read(where, key, fallback) {
    try { return JSON.parse(readText(where, key)) ?? fallback; } catch { return fallback; }
  }
  const keep = (where, key, value) => keepText(where, key, JSON.stringify(value));
  return { readText, keepText, drop, read, keep };
})();
