// Loads the jobs that are searched for, some at a time as one scrolls.

/** @import { Desk } from "./desk.js" */
/** @import { FirstPage, Page } from "./job.js" */
/** @import { SearchBar } from "./search_bar.js" */

import { isShown } from "./desk.js";
import { explainEmpty } from "./search_query.js";

const AGAIN_MS = 5000;

/** How far below what is seen the jobs are loaded already. */
const AHEAD = "900px";

/**
 * Make the loader.
 *
 * @param {Desk} desk
 * @param {SearchBar} searchBar
 * @param {HTMLElement} end what stands after the last job
 * @param {(page: FirstPage) => void} begin is told of the first jobs, before they are shown
 */
export function createJobLoader({ asking, gallery }, searchBar, end, begin) {
  /** What asks for the next jobs; null if there are no more. @type {number | null} */
  let next = null;
  /** Counts the searches: what an earlier one found is not shown any more. */
  let round = 0;
  let isLoading = false;

  const below = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting) && isShown()) loadMore();
    },
    { rootMargin: AHEAD },
  );

  /** Have the observer say anew whether the end is seen. */
  function watchEnd() {
    below.unobserve(end);
    below.observe(end);
  }

  /**
   * Ask for jobs; null if others are asked for meanwhile.
   *
   * @param {object} asked
   */
  async function search(asked) {
    isLoading = true;
    const mine = round;
    const page = await asking.call("search", asked);
    if (mine !== round) return null;
    isLoading = false;
    return page;
  }

  /** @param {Page} page */
  function show(page) {
    next = page.next;
    for (const job of page.jobs) gallery.add(job);
    const isEmpty = gallery.isEmpty();
    end.textContent = isEmpty ? explainEmpty(searchBar.readQuery()) : "";
    end.classList.toggle("cg-past-none", isEmpty);
    watchEnd();
  }

  /** Load the first jobs of what is searched for now. */
  async function load() {
    round += 1;
    const page = await search(searchBar.readQuery());
    if (page === null) return;
    if (page.error) {
      next = null;
      return;
    }
    begin(page);
    show(page);
  }

  /** Load the jobs after those that are there. */
  async function loadMore() {
    if (isLoading || next === null) return;
    const page = await search({ ...searchBar.readQuery(), before: next });
    if (page === null) return;
    if (page.error) setTimeout(watchEnd, AGAIN_MS);
    else show(page);
  }

  return { load, loadMore, hasMore: () => next !== null, getRound: () => round };
}
