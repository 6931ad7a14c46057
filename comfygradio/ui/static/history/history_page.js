// The History page: finds, shows, reuses and deletes what a person has made.

/** @import { Part } from "../library/part.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Target } from "../library/picture_targets.js" */
/** @import { FirstPage, Job } from "./job.js" */

import { createAsking } from "../library/asking.js";
import { find } from "../library/template.js";
import { createToast } from "../library/toast.js";
import { createComparison } from "./comparison.js";
import { createDeletion } from "./deletion.js";
import { isShown } from "./desk.js";
import { createGallery } from "./gallery.js";
import { turnFavourite } from "./job_actions.js";
import { drawCard } from "./job_card.js";
import { createJobLoader } from "./job_loader.js";
import { createOpenJob } from "./open_job.js";
import { pollJobs } from "./polling.js";
import { createSearchBar } from "./search_bar.js";
import { createSelection } from "./selection.js";
import { createWishes } from "./wishes.js";
import { downloadZip } from "./zip_download.js";

/** What takes as long as it needs; all else is answered soon. */
const SLOW = ["again", "delete"];

/**
 * Make the page in the part work.
 *
 * @param {Part} part
 */
export function mount(part) {
  const root = find(part.element, "cg-past");
  const say = createToast();
  const asking = createAsking(part, {
    isQuick: (name) => !SLOW.includes(name),
    complain: say,
  });
  const gallery = createGallery(find(root, "cg-past-grid"), drawInGallery);
  const wishes = createWishes();
  /** What takes a picture. @type {Target[]} */
  let targets = [];
  /** @type {Desk} */
  const desk = { asking, say, gallery, wishes, refresh };

  const searchBar = createSearchBar(root, () => loader.load());
  const end = find(root, "cg-past-end");
  const loader = createJobLoader(desk, searchBar, end, begin);
  const selection = createSelection(root, gallery, {
    compare: () => compare(listOldestFirst()),
    download: () => downloadZip(desk, selection.list()),
    askToDelete: () => askToDelete(selection.list()),
  });
  const openJob = createOpenJob(find(root, "cg-past-open", HTMLDialogElement), desk, {
    readTargets: () => targets,
    loadMore: loader.loadMore,
    narrow: searchBar.narrow,
    askToDelete: (tokens) => askToDelete(tokens),
  });
  const askDialog = find(root, "cg-ask", HTMLDialogElement);
  const askToDelete = createDeletion(askDialog, desk, openJob, removeJobs);
  const compare = createComparison(find(root, "cg-past-compare", HTMLDialogElement), desk);

  /** @param {Job} job */
  function drawInGallery(job) {
    const token = job.token;
    return drawCard(job, selection.has(token), {
      open: (event) => {
        const isChoice = selection.isChoosing() || event.shiftKey;
        if (isChoice) selection.choose(token, !selection.has(token));
        else openJob.open(token);
      },
      choose: (isChosen) => selection.choose(token, isChosen),
      turnFavourite: () => turnFavourite(desk, job),
    });
  }

  /** @param {Job} job */
  function refresh(job) {
    gallery.update(job);
    openJob.update(job);
  }

  /** @param {FirstPage} page */
  function begin(page) {
    targets = page.targets;
    gallery.clear();
    selection.forget(selection.list());
    searchBar.offer(page);
  }

  /** @param {Set<string>} tokens of jobs that are deleted */
  function removeJobs(tokens) {
    const wasEmpty = gallery.isEmpty();
    for (const token of tokens) gallery.remove(token);
    selection.forget(tokens);
    if (!wasEmpty && gallery.isEmpty() && !loader.hasMore()) loader.load();
  }

  /** The jobs that are chosen, as they are compared. */
  function listOldestFirst() {
    const tokens = gallery.listTokens().filter(selection.has);
    return tokens.reverse();
  }

  function arrive() {
    if (isShown()) {
      loader.load();
      return;
    }
    wishes.end();
    for (const dialog of root.querySelectorAll("dialog")) dialog.close();
  }

  // Later, so that who went somewhere has done what belongs to it.
  window.addEventListener("comfygradio-page", () => setTimeout(arrive));
  pollJobs(desk);
  arrive();
}
