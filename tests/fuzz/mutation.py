"""Mutations: a seeded generator makes odd texts, bytes and JSON out of good ones."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

NUMBERS = [
    0,
    1,
    -1,
    2,
    255,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63),
    10**70,
    0.5,
    -0.0,
    1e308,
    1e-320,
]
ODD_NUMBERS = [float("nan"), float("inf"), float("-inf"), 10**5000]
TEXTS = [
    "",
    " ",
    "a",
    "\0",
    "\n",
    "\ud800",
    "é",
    "🎨",
    "x" * 3000,
    "{a|b}",
    "{value}",
    "../x",
    "None",
    "true",
    "-1",
]
YAML_TOKENS = [
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ",",
        "- ",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "!!binary ",
        "!!python/name:os ",
    ),
    *(
        "|",
        ">",
        "'",
        '"',
        "\n",
        "\n  ",
        "\t",
        "#",
        "~",
        "? ",
        "...",
        "---\n",
        "%YAML 1.1\n",
        "\ufeff",
        "2024-13-45",
    ),
    *(
        ".nan",
        "0x7",
        "1_0",
        "slot: ",
        "slots: ",
        "choices: ",
        "fixed: ",
        "bypass: ",
        "show_if: ",
        "optional: true",
    ),
    *(
        "template: ",
        "widget: loras",
        "6.text",
        "99.x",
        "default: ",
        "min: ",
        "max: ",
        "null",
        "true",
        "9" * 5000,
    ),
    *("\0", "é", "{node: 6, input: text}", "%date:y%"),
]
HEADERS = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"IEND", b"tEXt"]
CHANGES = (1, 1, 1, 2, 4)
"""How many places are changed; many a mistake is found only where the rest is whole."""


def mutate_text(chance: random.Random, text: str, tokens: Sequence[str] = YAML_TOKENS) -> str:
    """The text with a few places cut, repeated, moved, or with tokens put in."""
    for _ in range(chance.choice(CHANGES)):
        start, end = sorted(
            (chance.randint(0, len(text)), min(len(text), chance.randint(0, len(text))))
        )
        end = min(end, start + chance.choice([1, 3, 20, 200]))
        piece = text[start:end]
        change = chance.randrange(6)
        if change == 0:
            text = text[:start] + text[end:]
        elif change == 1:
            text = text[:start] + piece * chance.randint(2, 4) + text[end:]
        elif change == 2:
            place = chance.randint(0, len(text))
            text = text[:place] + piece + text[place:]
        elif change == 3:
            text = text[:start] + chance.choice(tokens) + text[end:]
        elif change == 4:
            text = text[:start] + chance.choice(tokens) + text[start:]
        else:
            text = _mutate_line(chance, text, tokens)
    return text


def mutate_bytes(chance: random.Random, data: bytes) -> bytes:
    """The bytes with a few of them changed, cut, repeated or moved; mostly near the beginning,
    where headers are.
    """
    changed = bytearray(data)
    for _ in range(2 * chance.choice(CHANGES)):
        reach = chance.choice([64, 400, len(changed)])
        place = chance.randrange(max(1, min(len(changed), reach)))
        change = chance.randrange(8)
        if change < 4 and changed:
            changed[place] = chance.choice(
                [0, 1, 127, 128, 255, changed[place] ^ 1 << chance.randrange(8)]
            )
        elif change == 4:
            changed[place : place + 4] = chance.choice(
                [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"IEND", b"tEXt"]
            )
        elif change == 5:
            del changed[place : place + chance.choice([1, 4, 50])]
        elif change == 6:
            piece = changed[place : place + chance.choice([4, 40])]
            changed[place:place] = piece * chance.randint(1, 3)
        else:
            del changed[max(place, 16) :]
    return bytes(changed)


def mutate_json(chance: random.Random, data: Any, odd: Sequence[Any] = ()) -> Any:
    """A copy of the JSON with a few values replaced, removed, renamed or moved somewhere else."""
    data = copy.deepcopy(data)
    for _ in range(chance.choice(CHANGES)):
        holders = [data]
        while holders[-1] and isinstance(holders[-1], dict | list) and chance.random() < 0.85:
            inner = holders[-1].values() if isinstance(holders[-1], dict) else holders[-1]
            holders.append(chance.choice([*inner]))
        holder = next((one for one in holders[::-1] if isinstance(one, dict | list) and one), None)
        if holder is None:
            return make_value(chance)
        _change_item(chance, holder, holders, odd)
    return data


def make_value(chance: random.Random, depth: int = 0) -> Any:
    """Some JSON value, or one that is nearly JSON."""
    kind = chance.randrange(9)
    if kind < 3 or depth > 3:
        return chance.choice([*NUMBERS, *ODD_NUMBERS, None, True, False])
    if kind < 6:
        return chance.choice(TEXTS)
    if kind == 6:
        return {
            chance.choice(TEXTS): make_value(chance, depth + 1) for _ in range(chance.randint(0, 3))
        }
    if kind == 7:
        return [make_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return nest(chance.choice([3, 60, 300]))


def nest(depth: int) -> Any:
    """A list in a list in a list …"""
    nested: Any = 1
    for _ in range(depth):
        nested = [nested]
    return nested


def _mutate_line(chance: random.Random, text: str, tokens: Sequence[str]) -> str:
    lines = text.split("\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    change = chance.randrange(4)
    if change == 0:
        lines[first], lines[second] = lines[second], lines[first]
    elif change == 1:
        lines.insert(second, lines[first])
    elif change == 2:
        del lines[first]
    else:
        key, colon, _ = lines[first].partition(":")
        lines[first] = f"{key}{colon} {chance.choice(tokens)}"
    return "\n".join(lines)


def _change_item(
    chance: random.Random, holder: Any, holders: list[Any], odd: Sequence[Any]
) -> None:
    keys = [*holder] if isinstance(holder, dict) else [*range(len(holder))]
    key = chance.choice(keys)
    change = chance.randrange(8)
    if change < 3:
        holder[key] = copy.deepcopy(chance.choice([*odd, make_value(chance)]))
    elif change == 3:
        del holder[key]
    elif change == 4:
        other = chance.choice(keys)
        holder[key], holder[other] = holder[other], holder[key]
    elif change == 5:
        holder[key] = copy.deepcopy(chance.choice(holders[1:] or [None]))
    elif isinstance(holder, dict):
        holder[chance.choice([str(key) + ".x", *TEXTS])] = holder[key]
    else:
        holder.append(copy.deepcopy(holder[key]))
