// What concerns the whole page. The page's head imports it; `comfygradioPage` is the promise of it,
// which Gradio's snippets of JavaScript wait for before they call what is exported here.

import { followGenerate } from "../job/generate_button.js";
import { followChooser } from "./chooser.js";
import { keepCustomValues } from "./custom_values.js";
import { keepLanguage } from "./language.js";
import { go } from "./navigation.js";
import { watchRevision } from "./revision.js";
import { keepTypedTexts } from "./typed_texts.js";
import { listenWeights } from "./weights.js";

export { stopCounting, toggleCounting } from "../form/counting.js";
export { readLastSeed } from "../job/last_seed.js";
export { tellSmallerSize } from "../job/smaller_size.js";
export { address, enter, openAddressed, showForm } from "./chooser.js";
export { noteChange, takeValues, tellValues } from "./form_values.js";
export { go };

keepLanguage();
followChooser();
followGenerate();
keepTypedTexts();
keepCustomValues();
watchRevision();
listenWeights();

globalThis.comfygradioGo = go;
