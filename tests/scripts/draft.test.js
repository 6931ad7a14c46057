import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import {
  findMistake,
  findNameMistake,
  nameList,
  nameRest,
  readKeptDraft,
} from "../../comfygradio/ui/static/author/draft.js";

const LETTERS = "A name has letters, digits and _, and begins with a letter.";

/**
 * @param {string} name
 * @param {Partial<import("../../comfygradio/ui/static/author/draft.js").DraftRow>} more
 */
function makeRow(name, more = {}) {
  return {
    id: name,
    on: true,
    suggested: true,
    advanced: false,
    name,
    label: name,
    widget: "text",
    widgets: ["text"],
    place: "",
    ...more,
  };
}

test("a row stands where the form shows it", () => {
  equal(nameList(makeRow("seed")), "main");
  equal(nameList(makeRow("seed", { advanced: true })), "more");
});

test("only a row that was not suggested goes when it is unticked", () => {
  equal(nameList(makeRow("seed", { on: false })), "main");
  equal(nameList(makeRow("seed", { on: false, advanced: true })), "more");
  equal(nameList(makeRow("seed", { on: false, suggested: false, advanced: true })), "rest");
  equal(nameList(makeRow("seed", { suggested: false })), "main");
});

test("the names of fields are checked", () => {
  for (const name of ["a", "Seed_2"]) {
    const row = makeRow(name);
    equal(findMistake(row, [row], new Map()), "");
  }
  for (const name of ["", "2nd", "_a", "a-b", "ä"]) {
    const row = makeRow(name);
    equal(findMistake(row, [row], new Map()), LETTERS);
  }
});

test("two fields have no name in common, but what is not in the form counts for nothing", () => {
  const one = makeRow("seed");
  const other = makeRow("seed");
  const off = makeRow("seed", { on: false });
  equal(findMistake(one, [one, other], new Map()), "Another field has this name.");
  equal(findMistake(one, [one, off], new Map()), "");
  equal(findMistake(off, [one, off], new Map()), "");
});

test("what the app says of a field comes last", () => {
  const row = makeRow("constructor");
  equal(findMistake(row, [row], new Map([["constructor", "It has no slot."]])), "It has no slot.");
  equal(findMistake(row, [row], new Map([["seed", "It has no slot."]])), "");
});

test("the name of a preset is checked", () => {
  equal(findNameMistake("my_preset2"), "");
  for (const name of ["", "My", "2nd", "a-b"]) {
    const mistake = findNameMistake(name);
    equal(mistake, "Small letters, digits and _, beginning with a letter: my_preset.");
  }
});

test("the rest is counted", () => {
  equal(nameRest(1), "1 further input of this workflow");
  equal(nameRest(12), "12 further inputs of this workflow");
});

const DRAFT = {
  source: "x",
  name: "paint",
  title: "Paint",
  icon: "",
  description: "",
  byHand: false,
  notes: ["A note."],
  rows: [makeRow("seed")],
};

test("a draft that was kept comes back", () => {
  deepEqual(readKeptDraft(JSON.parse(JSON.stringify(DRAFT))), DRAFT);
  deepEqual(readKeptDraft({ ...DRAFT, error: "An old one." }), DRAFT);
});

for (const key of ["source", "name", "title", "icon", "description", "notes", "rows"]) {
  test(`a draft whose ${key} is something else is none`, () => {
    equal(readKeptDraft({ ...DRAFT, [key]: 7 }), null);
    equal(readKeptDraft({ ...DRAFT, [key]: { toString: null } }), null);
    equal(readKeptDraft({ ...DRAFT, [key]: undefined }), null);
  });
}

for (const key of Object.keys(makeRow("seed"))) {
  test(`a draft with a row whose ${key} is something else is none`, () => {
    equal(readKeptDraft({ ...DRAFT, rows: [{ ...makeRow("seed"), [key]: 7 }] }), null);
  });
}

test("what is no draft is none", () => {
  for (const kept of [null, 7, "x", { source: "x" }, { ...DRAFT, source: "" }]) {
    equal(readKeptDraft(kept), null);
  }
});
