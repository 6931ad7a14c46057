"""Cards of presets: a cover or an icon beside the title, as a style of the chooser's buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LETTERS = 2
"""Most letters of a title that stand for a missing icon."""


class PresetCard(NamedTuple):
    """What a card shows before its title: the picture at an address, else an icon."""

    title: str
    icon: str
    cover: str = ""


def write_card_style(cards: Sequence[PresetCard]) -> str:
    """Write what page.css shows on the cards of the chooser, in their order."""
    rules = [_write_rule(number, card) for number, card in enumerate(cards, 1)]
    return f"<style>{''.join(rules)}</style>"


def _write_rule(number: int, card: PresetCard) -> str:
    target = f"#cg-chooser.cg-cards label:nth-of-type({number})"
    if card.cover:
        return f'{target}{{--cg-cover:url("{card.cover}")}}'
    sign = card.icon or card.title[:LETTERS].strip()
    # The text after the slash is for screen readers, which read the title alone.
    return f'{target}{{--cg-icon:"{_escape(sign)}"/""}}'


def _escape(text: str) -> str:
    """Escape a text for a string of CSS, whatever it holds."""
    return "".join(f"\\{ord(character):x} " for character in text)
