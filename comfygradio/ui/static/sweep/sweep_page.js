// The sweeps of a person: the list of all, the editor of a new one, and each with its results.

/** @import { Asking } from "../library/asking.js" */
/** @import { Part } from "../library/part.js" */

import { createAsking } from "../library/asking.js";
import { createConfirmation } from "../library/confirmation.js";
import { find } from "../library/template.js";
import { createToast } from "../library/toast.js";
import { createEditor } from "./editor.js";
import { readPlace } from "./place.js";
import { createSweepList } from "./sweep_list.js";
import { createSweepView } from "./sweep_view.js";

/** What is answered soon; all else takes as long as it needs. */
const QUICK = ["list_all", "glance", "open", "news", "settings"];

/**
 * What the places of the page share.
 *
 * @typedef {object} Desk
 * @property {Asking} asking
 * @property {(text: string) => void} announce
 * @property {(sweep: { token: string, title: string }, then: () => void) => void} askToDelete
 * @property {(draft: object) => void} compose opens the editor with a draft
 */

/**
 * Draw the page into the part.
 *
 * @param {Part} part
 */
export function mount(part) {
  const { element, props, watch, upload } = part;

  const announce = createToast();
  const confirm = createConfirmation(find(element, "cg-ask", HTMLDialogElement));
  const asking = createAsking(part, {
    isQuick: (name) => QUICK.includes(name),
    complain: announce,
  });

  /** @type {Desk["askToDelete"]} */
  function askToDelete({ token, title }, then) {
    confirm({
      title: `Delete “${title}”?`,
      text: "Only the comparison is deleted; its pictures stay in the history.",
      yes: "Delete",
      action: async () => {
        const answer = await asking.call("delete", { token });
        if (!answer.error) then();
      },
    });
  }

  /** @type {Desk} */
  const desk = { asking, announce, askToDelete, compose: (draft) => editor.compose(draft) };
  const listPart = find(element, "cg-sweep-all");
  const editorPart = find(element, "cg-sweep-new");
  const viewPart = find(element, "cg-sweep-one");
  const list = createSweepList(listPart, desk);
  const editor = createEditor(editorPart, desk, upload);
  const dialog = find(element, "cg-sweep-open", HTMLDialogElement);
  const view = createSweepView(viewPart, dialog, desk);

  function arrive() {
    const place = readPlace();
    const isOne = place !== null && place !== "all" && place !== "new";
    for (const open of element.querySelectorAll("dialog")) open.close();
    listPart.hidden = place !== "all";
    editorPart.hidden = place !== "new";
    viewPart.hidden = !isOne;
    view.leave(place);
    if (place === "all") list.open();
    else if (place === "new") editor.open();
    else if (isOne) view.open(place);
  }

  /** The draft that was taken last: the same value may come twice. */
  let stamp = "";

  function take() {
    const draft = props.value?.compose;
    if (!draft || draft.stamp === stamp) return;
    stamp = draft.stamp;
    editor.compose(draft);
  }

  // Later, so that who went somewhere has done what belongs to it.
  window.addEventListener("comfygradio-page", () => setTimeout(arrive));
  arrive();
  watch("value", take);
  take();
}
