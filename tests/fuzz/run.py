"""`python -m tests.fuzz.run --count 100000`: feeds the targets with mutated inputs and counts what
comes out.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .targets import Targets, is_expected

SHARES = {
    **{"preset": 24, "workflow": 18, "server": 10, "values": 20},
    **{"picture": 12, "settings": 10, "media": 3, "draft": 3},
    "conversion": 20,
}
"""How often each target has its turn."""


@dataclass
class Report:
    """What came out: inputs taken and refused by target, the slowest one in time of the processor,
    and each crash with its seed.
    """

    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def total(self) -> int:
        """All inputs so far."""
        return self.taken.total() + self.refused.total() + len(self.crashes)

    def __str__(self) -> str:
        rows = [
            f"{name:10} {self.taken[name]:8} taken {self.refused[name]:8} refused"
            for name in SHARES
        ]
        slowest = f"slowest    {self.slowest[0]:8.3f} s, {self.slowest[1]}"
        return "\n".join(
            [*rows, slowest, f"{self.total} inputs, {len(self.crashes)} crashes", *self.crashes]
        )


def fuzz(folder: Path, seed: int, count: int, seconds: float, names: Sequence[str]) -> Report:
    """Try inputs until `count` of them or `seconds` are over.

    The same seed gives the same inputs.
    """
    targets, report = Targets(folder), Report()
    order, weights = [*names], [SHARES[name] for name in names]
    turns = random.Random(seed)
    end = time.monotonic() + seconds
    for number in range(count):
        if time.monotonic() > end:
            break
        (name,) = turns.choices(order, weights)
        try_one(targets, name, f"{seed}/{number}", report)
    return report


def try_one(targets: Targets, name: str, key: str, report: Report) -> None:
    """One input for one target; `key` is the seed of its generator."""
    started = time.process_time()
    try:
        targets.by_name[name](random.Random(f"{name}/{key}"))
    except Exception as error:
        if is_expected(error):
            report.refused[name] += 1
        else:
            report.crashes.append(
                f"{name} --only {key}\n{''.join(traceback.format_exception(error))}"
            )
    else:
        report.taken[name] += 1
    report.slowest = max(report.slowest, (time.process_time() - started, f"{name} --only {key}"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10**9, help="inputs at most")
    parser.add_argument("--seconds", type=float, default=600.0, help="time at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--target", action="append", choices=[*SHARES], help="repeatable; default: all"
    )
    parser.add_argument("--only", help="the key of one input, SEED/NUMBER, of one target")
    options = parser.parse_args(arguments)
    names = options.target or [*SHARES]
    with tempfile.TemporaryDirectory() as folder:
        if options.only:
            report = Report()
            try_one(Targets(Path(folder)), names[0], options.only, report)
        else:
            report = fuzz(Path(folder), options.seed, options.count, options.seconds, names)
    print(report)
    return 1 if report.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
