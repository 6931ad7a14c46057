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
import { orderAgain } from "./gallery_order.js";
import { turnFavourite } from "./job_actions.js";
import { drawCard } from "./job_card.js";
import { createJobLoader } from "./job_loader.js";
import { createOpenJob } from "./open_job.js";
import { pollJobs } from "./polling.js";
import { createSearchBar } from "./search_bar.js";
import { createSelection } from "./selection.js";
import { createTrash } from "./trash.js";
import { createWishes } from "./wishes.js";
import { downloadZip } from "./zip_download.js";

/** What takes as long as it needs; all else is answered soon. */
const SLOW = ["again", "delete", "restore", "delete_for_good"];

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
    moveToTrash: () => moveToTrash(selection.list()),
  });
  const openJob = createOpenJob(find(root, "cg-past-open", HTMLDialogElement), desk, {
    readTargets: () => targets,
    loadMore: loader.loadMore,
    narrow: searchBar.narrow,
    moveToTrash: (tokens) => moveToTrash(tokens),
  });
  const moveToTrash = createDeletion(desk, openJob, removeJobs);
  const trash = createTrash(root, desk, { remove: removeJobs, load: loader.load });
  const compare = createComparison(find(root, "cg-past-compare", HTMLDialogElement), desk);

  /** @param {Job} job */
  function drawInGallery(job) {
    const token = job.token;
    if (job.secondsLeft !== undefined) return trash.drawCard(job);
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
    trash.paint(searchBar.readQuery().deleted, page.jobs.length > 0);
  }

  /**
   * Take jobs out of the gallery. Gives what brings those back that are restored.
   *
   * @param {Set<string>} tokens
   */
  function removeJobs(tokens) {
    const before = gallery.listJobs();
    const round = loader.getRound();
    const wasEmpty = gallery.isEmpty();
    searchBar.offerTrash(true);
    for (const token of tokens) gallery.remove(token);
    selection.forget(tokens);
    if (!wasEmpty && gallery.isEmpty() && !loader.hasMore()) loader.load();

    /** @param {Set<string>} back */
    async function bringBack(back) {
      // What was found is another list by now.
      if (loader.getRound() !== round) await loader.load();
      else gallery.refill(orderAgain(before, gallery.listJobs(), back));
    }

    return bringBack;
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
