// What the large view turns through, and what is copied of a job.

import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import {
  isSame,
  listAround,
  listRecent,
  listSlides,
  MOST_RECENT,
  nameSlide,
  writeSettings,
} from "../../comfygradio/ui/static/looking/slides.js";

/**
 * @param {string} token
 * @param {...string} kinds of its results
 */
function makeJob(token, ...kinds) {
  const results = kinds.map((kind, place) => ({
    kind,
    name: `${place}`,
    url: kind === "lost" ? "" : `result/${place}`,
    display: "",
    width: null,
    height: null,
  }));
  return { token, title: "Text to image", text: `a ${token}`, results };
}

/** @param {{ job: { token: string }, place: number }[]} slides */
function nameAll(slides) {
  return slides.map(({ job, place }) => `${job.token} ${place}`);
}

test("pictures, videos and sounds are shown large, and nothing that is not there", () => {
  const job = makeJob("fox", "text", "image", "lost", "video", "audio", "file");
  deepEqual(nameAll(listSlides(job)), ["fox 1", "fox 3", "fox 4"]);
});

test("the last twelve are of the newest jobs", () => {
  const jobs = [makeJob("new", "image", "image"), makeJob("old", ...Array(20).fill("image"))];
  const recent = listRecent(jobs);
  equal(recent.length, MOST_RECENT);
  deepEqual(nameAll(recent).slice(0, 3), ["new 0", "new 1", "old 0"]);
});

test("all results of a job are turned through, where it stands among the last ones", () => {
  const job = makeJob("fox", "image", "image", "image");
  const recent = listRecent([makeJob("owl", "image"), job, makeJob("elk", "image")]);
  const cut = recent.filter(({ place }) => place < 2);
  const around = listAround(job, cut);
  deepEqual(nameAll(around), ["owl 0", "fox 0", "fox 1", "fox 2", "elk 0"]);
});

test("a job that is not among the last ones comes first", () => {
  const around = listAround(makeJob("fox", "image"), listRecent([makeJob("owl", "image")]));
  deepEqual(nameAll(around), ["fox 0", "owl 0"]);
  equal(isSame(around[0], around[1]), false);
});

test("a slide is named by what was asked for, and its place among several", () => {
  equal(nameSlide(listSlides(makeJob("fox", "image"))[0]), "a fox");
  equal(nameSlide(listSlides(makeJob("fox", "image", "image"))[1]), "a fox, 2 of 2");
  equal(nameSlide(listSlides({ ...makeJob("fox", "image"), text: "" })[0]), "Text to image");
});

test("settings are copied line by line", () => {
  const values = [
    { label: "Seed", text: "18446744073709551615" },
    { label: "Steps", text: "20" },
  ];
  equal(writeSettings("Upscale", values), "Upscale\nSeed: 18446744073709551615\nSteps: 20");
});
