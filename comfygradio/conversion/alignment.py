"""Align values with widgets by type, for files that were saved for another version of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfygradio.conversion.fit import UNFIT, score_fit
from comfygradio.conversion.widget import Widget

MAX_PAIRS = 200_000
"""Maximum number of pairs of a value and a widget that are compared in a workflow."""

SKIPPED_VALUE = -1.0
"""The score of a value that no widget takes."""


class Aligner:
    """Aligns the values of nodes, as long as this takes no unreasonable time."""

    def __init__(self) -> None:
        self._pairs_left = MAX_PAIRS

    def align(self, widgets: Sequence[Widget], values: Sequence[Any]) -> dict[int, int] | None:
        """Align values with widgets in their order, so that the sum of scores is the highest.
        Returns position of the widget → position of the value, or None where this takes too long.
        """
        pairs = len(widgets) * len(values)
        # A node that is too large takes nothing from the smaller ones behind it.
        if pairs > self._pairs_left:
            return None
        self._pairs_left -= pairs
        best = _score_all(widgets, values)
        aligned: dict[int, int] = {}
        i = 0
        j = 0
        while i < len(widgets) and j < len(values):
            scores = _list_scores(best, i, j, widgets[i], values[j])
            together, without_widget, without_value = scores
            # Of equal scores, the one that comes nearest to the positions in the file.
            if together >= max(without_widget, without_value):
                aligned[i] = j
                i += 1
                j += 1
            elif without_widget >= without_value:
                i += 1
            else:
                j += 1
        return aligned


def _score_all(widgets: Sequence[Widget], values: Sequence[Any]) -> list[list[float]]:
    """Find the highest score for the widgets from i on and the values from j on, for all i and
    j.
    """
    rows = len(widgets) + 1
    columns = len(values) + 1
    best = [[0.0] * columns for _ in range(rows)]
    for j in range(len(values) - 1, -1, -1):
        best[-1][j] = best[-1][j + 1] + SKIPPED_VALUE
    for i in range(len(widgets) - 1, -1, -1):
        for j in range(len(values) - 1, -1, -1):
            best[i][j] = max(_list_scores(best, i, j, widgets[i], values[j]))
    return best


def _list_scores(
    best: list[list[float]], i: int, j: int, widget: Widget, value: Any
) -> tuple[float, float, float]:
    """List the scores of placing a value, of leaving out the widget, and of leaving out the
    value.
    """
    score = score_fit(widget, value)
    together = best[i + 1][j + 1] + score
    if score <= UNFIT:
        together = UNFIT * len(best) * len(best[0])
    return together, best[i + 1][j], best[i][j + 1] + SKIPPED_VALUE
