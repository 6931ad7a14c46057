"""How many examples the tests try that make their own: properties and fuzzing.

The counts in the tests are those of `.ci/run`. TEST_EFFORT chooses another share of them:
`quick` (the default, for work), `ci`, or `deep` (before a release; ten times as many).
"""

from __future__ import annotations

import os

SHARES = {"quick": 0.2, "ci": 1.0, "deep": 10.0}

FEWEST = 5
"""So many are tried in any case."""


def scale(count: int) -> int:
    """How many examples to try where `.ci/run` tries `count`."""
    effort = os.environ.get("TEST_EFFORT", "quick")
    assert effort in SHARES, f"TEST_EFFORT={effort}: it is one of {', '.join(SHARES)}"
    return max(FEWEST, round(count * SHARES[effort]))
