// The buttons that rate a result.

import { make, press } from "../library/elements.js";
import { plural } from "../library/words.js";
import { STARS, toggleRejected } from "./rating.js";

/**
 * Draw the buttons.
 *
 * @param {object} options
 * @param {number} options.now the rating before
 * @param {boolean} options.canRate
 * @param {(part: string) => string} options.name names the class of a part
 * @param {(rating: number) => void} options.rate
 */
export function drawStars({ now, canRate, name, rate }) {
  const stars = STARS.map((count) => {
    const isLit = count <= now;
    const star = press(name("star"), isLit ? "★" : "☆", () => rate(count === now ? 0 : count), {
      label: plural(count, "star"),
    });
    star.setAttribute("aria-pressed", String(isLit));
    star.disabled = !canRate;
    return star;
  });
  const isRejected = now < 0;
  const reject = press(`cg-small ${name("reject")}`, isRejected ? "Rejected" : "Reject", () => {
    rate(toggleRejected(now));
  });
  reject.setAttribute("aria-pressed", String(isRejected));
  reject.disabled = !canRate;
  const group = make("div", { className: name("rating") }, ...stars, reject);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Rating");
  return group;
}
