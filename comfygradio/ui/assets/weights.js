// Ctrl or ⌘ with ↑ or ↓ in a prompt weighs the words under the cursor, or those that are selected, as ComfyUI's own
// page does: (words:1.1). A cursor stays where it was, so that what is typed next replaces nothing.
(() => {
  const STEP = 0.05;
  const WORD_ENDS = " .,\\/!?%^*;:{}=-_`~()\r\n\t";
  const WEIGHED = /^(.*):([+-]?(?:\d*\.)?\d+(?:e[+-]?\d+)?)$/is;

  const isBracket = (text, at, bracket) => text[at] === bracket && text[at - 1] !== "\\";

  // The place of the bracket that closes the one that is open at `from`, going by `step`; -1 where there is none.
  function findBracket(text, from, step) {
    const [wanted, other] = step > 0 ? [")", "("] : ["(", ")"];
    let depth = 0;
    for (let at = from; at >= 0 && at < text.length; at += step) {
      if (isBracket(text, at, other)) depth++;
      if (!isBracket(text, at, wanted)) continue;
      if (!depth) return at;
      depth--;
    }
    return -1;
  }

  function findWords(text, cursor) {
    const opens = findBracket(text, cursor - 1, -1), closes = findBracket(text, cursor, 1);
    if (opens >= 0 && closes >= 0) return [opens, closes + 1];
    let start = cursor, end = cursor;
    while (start > 0 && !WORD_ENDS.includes(text[start - 1])) start--;
    while (end < text.length && !WORD_ENDS.includes(text[end])) end++;
    return [start, end];
  }

  function trim(text, start, end) {
    while (start < end && /\s/.test(text[start])) start++;
    while (end > start && /\s/.test(text[end - 1])) end--;
    if (isBracket(text, start - 1, "(") && isBracket(text, end, ")")) return [start - 1, end + 1];
    return [start, end];
  }

  function read(part) {
    const isInBrackets = isBracket(part, 0, "(") && findBracket(part, 1, 1) === part.length - 1;
    if (!isInBrackets) return { words: part, weight: 1, before: 0 };
    const inside = part.slice(1, -1), [, words, weight] = WEIGHED.exec(inside) ?? [inside, inside, 1];
    return { words, weight: Number(weight), before: 1 };
  }

  function weigh(field, change) {
    const { value, selectionStart, selectionEnd } = field, isCursor = selectionStart === selectionEnd;
    const [start, end] = isCursor ? findWords(value, selectionStart) : trim(value, selectionStart, selectionEnd);
    if (start === end) return;
    const { words, weight, before } = read(value.slice(start, end));
    const weighed = Number((weight + change).toFixed(10)), isPlain = weighed === 1;
    const text = isPlain ? words : `(${words}:${weighed})`;
    write(field, start, end, text);
    if (!isCursor) {
      field.setSelectionRange(start, start + text.length);
      return;
    }
    const place = Math.min(Math.max(selectionStart - start - before, 0), words.length);
    const cursor = start + place + (isPlain ? 0 : 1);
    field.setSelectionRange(cursor, cursor);
  }

  function write(field, start, end, text) {
    field.setSelectionRange(start, end);
    if (document.execCommand("insertText", false, text)) return;   // old, but the only way that can be undone
    field.setRangeText(text, start, end);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("keydown", (event) => {
    const isWeighing = (event.ctrlKey || event.metaKey) && !event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key);
    if (!isWeighing || event.isComposing || !event.target.matches?.(".cg-prompt textarea:not([readonly])")) return;
    event.preventDefault();
    weigh(event.target, event.key === "ArrowUp" ? STEP : -STEP);
  });
})();
