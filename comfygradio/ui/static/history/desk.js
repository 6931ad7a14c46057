// What the parts of the History page share.

/** @import { Asking } from "../library/asking.js" */
/** @import { Gallery } from "./gallery.js" */
/** @import { Offer } from "../library/toast.js" */
/** @import { Job } from "./job.js" */
/** @import { Wishes } from "./wishes.js" */

/**
 * @typedef {object} Desk
 * @property {Asking} asking
 * @property {(text: string, offer?: Offer) => void} say says something in passing
 * @property {Gallery} gallery
 * @property {Wishes} wishes
 * @property {(job: Job) => void} refresh shows a job as it is now, wherever it is shown
 */

/** Whether the History page is the one that is shown. */
export function isShown() {
  return document.documentElement.dataset.cgPage === "history";
}
