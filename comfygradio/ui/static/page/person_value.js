// Tells the app who uses this browser, as the value of a component.
//
// This is no part of its own that is imported: its text is the script of the component, bundled
// with what it imports. So the value is there as soon as the component is, however soon somebody
// presses Generate.

import { readPerson } from "../library/person.js";

// @ts-expect-error: Gradio gives this to the script of a component.
props.value = readPerson();
