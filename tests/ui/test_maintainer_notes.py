"""Who reads what is wrong with presets: operators and authors, else whoever is at the machine."""

from __future__ import annotations

import pytest

from comfygradio.ui.form.maintainer_notes import MaintainerNotes
from comfygradio.ui.identity.person import Person
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess

ANN = Person(login="ann", is_local=True)
BEN = Person(login="ben", is_local=True)
HERE = Person(is_local=True)
ELSEWHERE = Person(address="10.0.0.2")


@pytest.mark.parametrize(
    ("operators", "authors", "readers"),
    [
        (None, None, [HERE]),
        (frozenset({"ann"}), None, [ANN]),
        (None, frozenset({"ben"}), [BEN]),
        (frozenset({"ann"}), frozenset({"ben"}), [ANN, BEN]),
    ],
)
def test_notes_on_presets_are_for_those_who_look_after_them(
    operators: frozenset[str] | None, authors: frozenset[str] | None, readers: list[Person]
) -> None:
    notes = MaintainerNotes(
        OperatorAccess(operators) if operators else None,
        AuthorAccess(authors) if authors else None,
    )
    people = [ANN, BEN, HERE, ELSEWHERE]
    assert [one for one in people if notes.may_read(one)] == readers
