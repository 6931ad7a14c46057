import { equal } from "node:assert/strict";
import test from "node:test";

import { createAnnouncements } from "../../comfygradio/ui/static/job/announcements.js";

/** @import { JobBrief, Message } from "../../comfygradio/ui/static/job/job_message.js" */

/**
 * A message about these jobs, of which the first is shown.
 *
 * @param {Partial<JobBrief>[]} jobs
 * @param {string[]} warnings
 */
function makeMessage(jobs, warnings = []) {
  const whole = jobs.map((job, index) => ({
    token: `job ${index}`,
    title: "Paint",
    phase: "running",
    percent: 0,
    place: 0,
    picture: "",
    ...job,
  }));
  const message = { token: whole[0].token, warnings, jobs: whole };
  return /** @type {Message} */ (/** @type {unknown} */ (message));
}

/** @param {boolean} hasBegun whether Generate was pressed on the page */
function listen(hasBegun) {
  const announcements = createAnnouncements(() => hasBegun);

  /**
   * @param {Partial<JobBrief>} job
   * @param {string[]} [warnings]
   */
  function hear(job, warnings) {
    return announcements.describe(makeMessage([job], warnings));
  }

  return hear;
}

test("the begin, each quarter and the end of a job are told, and nothing else", () => {
  const hear = listen(true);
  equal(hear({ phase: "waiting", place: 1 }), "Waiting in line.");
  equal(hear({ phase: "waiting", place: 1 }), "");
  equal(hear({}), "Started.");
  equal(hear({ percent: 24 }), "");
  equal(hear({ percent: 25 }), "25 percent.");
  equal(hear({ percent: 30 }), "");
  equal(hear({ percent: 80 }), "75 percent.");
  equal(hear({ percent: 100 }), "");
  equal(hear({ phase: "done" }, ["It is small."]), "The picture is ready. It is small.");
  equal(hear({ phase: "done" }), "");
});

test("progress that goes back is not told again", () => {
  const hear = listen(true);
  hear({ percent: 50 });
  equal(hear({ percent: 10 }), "");
  equal(hear({ percent: 50 }), "");
  equal(hear({ percent: 75 }), "75 percent.");
});

test("a job that was never heard of is told only where Generate was pressed", () => {
  equal(listen(true)({ phase: "failed" }), "Not finished.");
  equal(listen(false)({ phase: "failed" }), "");
  equal(listen(true)({ percent: 60 }), "Started.");
  equal(listen(false)({ percent: 60 }), "50 percent.");
});

test("each of several jobs is named, and quarters are told of the one that is shown", () => {
  const announcements = createAnnouncements(() => true);
  const begun = announcements.describe(makeMessage([{}, { phase: "waiting", place: 1 }]));
  equal(begun, "Picture 1 of 2: started. Picture 2 of 2: waiting in line.");
  const further = announcements.describe(makeMessage([{ phase: "done" }, { percent: 1 }]));
  equal(further, "Picture 1 of 2 is ready. Picture 2 of 2: started.");
  const half = announcements.describe(makeMessage([{ phase: "done" }, { percent: 50 }]));
  equal(half, "");
  const stopped = announcements.describe(makeMessage([{ phase: "done" }, { phase: "stopped" }]));
  equal(stopped, "Picture 2 of 2: stopped early.");
});
