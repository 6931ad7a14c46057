"""Scripts of the page that share one scope."""

from __future__ import annotations

import re
from collections import Counter

from comfygradio.ui.assets import read_asset
from comfygradio.ui.job.job_view import SCRIPTS

DECLARED = re.compile(r"^(?:const|let|(?:async )?function) +(\w+)", re.MULTILINE)
"""A name that a line without indentation declares."""


def test_no_two_scripts_of_the_viewer_declare_the_same_name() -> None:
    """They are one function for the browser, which would run none of them."""
    names = Counter(name for script in SCRIPTS for name in DECLARED.findall(read_asset(script)))
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []
