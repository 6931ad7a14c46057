"""Templates of the exam become forms that run; `python -m tests.exam_presets` tries all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exam import FOLDER, NO_EXAM
from tests.exam_presets import TAKEN, ExamForms

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(not FOLDER, reason=NO_EXAM),
]

EVERY = 12
"""One template in so many is tried."""

NEWER = "which this ComfyUI does not have"
"""The workflow names a model of an API that is newer than this server: the form says so, ComfyUI
itself does not look.
"""


@pytest.fixture(scope="module")
def forms() -> Iterator[ExamForms]:
    with ExamForms(Path(FOLDER)) as forms:
        yield forms


def test_a_sample_is_open_and_the_rest_says_why(forms: ExamForms) -> None:
    taken = forms.list_templates(TAKEN)[::EVERY]
    tried = [forms.try_workflow(name) for name in taken]
    assert [one for one in tried if one.state != "open" and NEWER not in one.reason] == []
    assert sum(one.state == "open" for one in tried) > 0.9 * len(tried)


def test_a_template_whose_classes_are_missing_is_refused_with_their_names(
    forms: ExamForms,
) -> None:
    for name in forms.list_templates(["missing nodes"])[::EVERY]:
        outcome = forms.try_workflow(name)
        assert outcome.state == "refused"
        assert outcome.reason.startswith(f"{name}.json needs ")
        assert outcome.reason.endswith("which this ComfyUI does not have.")
