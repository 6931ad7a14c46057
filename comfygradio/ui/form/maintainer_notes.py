"""Notes on the faults of presets and on what was adjusted, for those who look after them.

The page is the same for everybody, so that the notes come with an event, which knows who asks.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess

EVENT: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


class MaintainerNotes:
    """The places for notes on one page, and what is written there for operators and authors.

    Where the settings name neither and nobody logs in, whoever is at this machine reads them.
    """

    def __init__(
        self, operators: OperatorAccess | None = None, authors: AuthorAccess | None = None
    ) -> None:
        self._operators = operators
        self._authors = authors
        self.notes: list[str] = []
        self._places: list[gr.HTML] = []

    def draw(self, note: str) -> None:
        """Draw an empty place inside the current Blocks for this HTML, whose texts are escaped."""
        self.notes.append(note)
        self._places.append(gr.HTML("", js_on_load=None, elem_classes="cg-maintainer-note"))

    def listen(self, blocks: gr.Blocks) -> None:
        """Fill the places when the page is loaded."""
        if self._places:
            blocks.load(self.tell, None, self._places, **EVENT)

    def tell(self, request: gr.Request) -> Any:
        """Return the notes for those who may read them, and leave the places empty for others."""
        if self.may_read(find_person(request)):
            answers: list[Any] = [*self.notes]
        else:
            answers = [gr.skip() for _ in self.notes]
        # Gradio takes the value of a single place without a list.
        return answers[0] if len(answers) == 1 else answers

    def may_read(self, person: Person) -> bool:
        """Return whether this person looks after the presets."""
        if self._operators is None and self._authors is None:
            return person.is_local and not person.login
        if self._operators is not None and self._operators.admit(person):
            return True
        return self._authors is not None and self._authors.admit(person)
