import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isOnlySmall,
  readResult as readExported,
} from "../../comfygradio/ui/static/gallery/embedded_media.js";
import { explainNothing, findMain, readCell } from "../../comfygradio/ui/static/results/cell.js";
import {
  explain,
  findRatio,
  readResult as readShown,
} from "../../comfygradio/ui/static/sweep/page_host.js";

test("a cell that is not there waits", () => {
  const cell = readCell(null, readShown);
  assert.equal(cell.phase, "waiting");
  assert.equal(findMain(cell), undefined);
});

test("what is left out is empty", () => {
  const cell = readCell({ p: "done" }, readShown);
  assert.deepEqual(cell, {
    phase: "done",
    results: [],
    error: "",
    seconds: 0,
    server: "",
    rating: 0,
  });
});

test("a picture is shown before a text", () => {
  const cell = readCell(
    {
      p: "done",
      r: [
        { n: "text", t: "a" },
        { n: "image", u: "a%20b/c%23.png" },
      ],
    },
    readShown,
  );
  assert.equal(findMain(cell)?.kind, "image");
  assert.equal(findMain(cell)?.name, "c#.png");
});

test("a result that is not there is not shown", () => {
  const cell = readCell(
    {
      p: "done",
      r: [
        { n: "image", x: "It has gone." },
        { n: "text", t: "a" },
      ],
    },
    readShown,
  );
  assert.equal(findMain(cell)?.text, "a");
  const gone = readCell({ p: "done", r: [{ n: "image", x: "It has gone." }] }, readShown);
  assert.equal(findMain(gone), undefined);
  assert.equal(explainNothing(gone), "It has gone.");
  assert.equal(explainNothing(readCell({ p: "done" }, readShown)), "Nothing was made.");
});

test("an exported result is there with a file, a small picture or a text", () => {
  for (const described of [{ u: "a.png" }, { f: 0 }, { t: 0 }, { s: "text" }]) {
    assert.equal(readExported({ n: "image", ...described }).isThere, true);
  }
  assert.equal(readExported({ n: "image", b: "a.png" }).isThere, false);
});

test("a picture without its file is only small", () => {
  const result = readExported({ n: "image", t: 0 });
  const media = { findLarge: () => "", findSmall: () => "", mend: () => {} };
  const small = { ...media, findFile: () => "", findPoster: () => "data:" };
  const whole = { ...media, findFile: () => "a.png", findPoster: () => "data:" };
  assert.equal(isOnlySmall(result, small), true);
  assert.equal(isOnlySmall(result, whole), false);
  assert.equal(isOnlySmall(readExported({ n: "text", s: "a" }), small), false);
});

test("the page says why there is nothing", () => {
  const waiting = readCell(null, readShown);
  assert.equal(explain(waiting, "running"), "Waiting for its turn.");
  assert.match(explain(waiting, "stopped"), /^Not made/);
  assert.equal(explain(readCell({ p: "failed" }, readShown), "done"), "It failed.");
  assert.equal(explain(readCell({ p: "failed", e: "No memory" }, readShown), "done"), "No memory");
});

test("the first picture gives the ratio, the form before there is one", () => {
  /** @type {any} */
  const sweep = { cells: [null, { r: [{ n: "text" }] }], size: [200, 100] };
  assert.equal(findRatio(sweep), 2);
  sweep.cells.push({ r: [{ w: 100, h: 100 }] }, { r: [{ w: 300, h: 100 }] });
  assert.equal(findRatio(sweep), 1);
  assert.equal(findRatio({ ...sweep, cells: [{ r: [{ w: 900, h: 100 }] }] }), 2.4);
  assert.equal(findRatio({ ...sweep, cells: [], size: null }), 1);
});
