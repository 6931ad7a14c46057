"""How quickly models are found among many: `python -m tests.benchmarks.model_search`.

The goal is a first answer within 150 ms among 20,000 names; that includes preparing the names, as
after a start or after *Refresh lists*.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.model_search import ModelIndex
from tests.benchmarks.figures import format_table

COUNTS = (20, 20_000)
TRIES = 7


def main() -> None:
    """Measure and print, in milliseconds."""
    rows = [measure(count) for count in COUNTS]
    print(format_table(rows))


def measure(count: int) -> dict[str, object]:
    """Measure each kind of question among so many names; the middle one of several tries."""
    names = [f"folder-{number // 100}/model-{number:05}.safetensors" for number in range(count)]
    choices = [Choice(name, name) for name in names]
    index = ModelIndex(choices)
    return {
        "names": count,
        "first answer": time_call(lambda: ModelIndex(choices).search("")),
        "all": time_call(lambda: index.search("")),
        "one word": time_call(lambda: index.search("model")),
        "two words": time_call(lambda: index.search("folder-1 0017")),
        "no hit": time_call(lambda: index.search("nothing")),
        "folder": time_call(lambda: index.list_folder("")),
    }


def time_call(call: Callable[[], object]) -> float:
    """Time a call in milliseconds."""
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[TRIES // 2]


if __name__ == "__main__":
    main()
