// A question that has no answer after a while counts as unanswered: a phone that changed its network hears nothing more.
const ANSWER_MS = 20000;
const soon = (answer) => {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(reject, ANSWER_MS, new Error("no answer")); });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
};
