"""Formulas: arithmetic in a preset, such as `steps * 0.5`, that computes one number from
another.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

MAX_LENGTH = 200
"""Maximum number of characters of a formula."""

OWN_NAME = "value"
"""Name for the number that a formula computes with, besides the field's own name."""

CHARACTERS = r"[\w\s.+*/%()-]+"
"""Characters of numbers, names, operators and parentheses."""

NUMBER = r"[0-9]+(?:\.[0-9]+)?"
"""Matches a plain number, and nothing else that Python reads as one (1e3, 0x10, 1_000)."""

NAME = r"[A-Za-z]\w*"

# No power: 9**9**9 would compute for ever.
OPERATORS: Mapping[type[ast.AST], Callable[[Fraction, Fraction], Fraction | int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

ADVICE = "write plain arithmetic with + - * / // % and parentheses, for example value * 0.5"


class FormulaError(ValueError):
    """Raised when a formula cannot be parsed or evaluated; the text says why."""


class Formula(NamedTuple):
    """Arithmetic over one number, which any of `names` stands for."""

    text: str
    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Parse a formula of at most 200 characters. Raises FormulaError."""
        tree = _parse(text)
        names: set[str] = set()
        for part in ast.walk(tree):
            if isinstance(part, ast.Name):
                names.add(part.id)
        if not names:
            raise FormulaError(f"{text} is always the same; it has to use {OWN_NAME}")
        return cls(text, frozenset(names))

    def evaluate(self, number: int | float) -> Fraction:
        """Evaluate the formula for a number, exactly. Raises FormulaError for a division
        by zero.
        """
        try:
            tree = _parse(self.text)
            # repr() is the decimal that was typed: Fraction(0.1) would be slightly more than a
            # tenth.
            return _evaluate(tree, Fraction(repr(number)))
        except ZeroDivisionError as error:
            raise FormulaError(f"{self.text} divides by zero") from error


def round_half_up(number: Fraction) -> int:
    """Round to the nearest whole number; halves round up."""
    half = Fraction(1, 2)
    return math.floor(number + half)


def _parse(text: str) -> ast.expr:
    """Parse a formula into a tree of allowed nodes. Raises FormulaError."""
    problem = f"{text[:MAX_LENGTH]} is not a formula; {ADVICE}"
    # Before Python parses it: calls, attributes, texts and brackets never get that far.
    if len(text) > MAX_LENGTH or not re.fullmatch(CHARACTERS, text):
        raise FormulaError(problem)
    plain = text.strip()
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(problem) from error
    if not _is_plain(tree, plain):
        raise FormulaError(problem)
    return tree


def _is_plain(part: ast.expr, text: str) -> bool:
    match part:
        case ast.Constant(value=int() | float()):
            written = ast.get_source_segment(text, part) or ""
            return re.fullmatch(NUMBER, written) is not None
        case ast.Name(id=name):
            return re.fullmatch(NAME, name) is not None
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _is_plain(operand, text)
        case ast.BinOp(left=left, op=sign, right=right):
            return type(sign) in OPERATORS and _is_plain(left, text) and _is_plain(right, text)
    return False


def _evaluate(part: ast.expr, number: Fraction) -> Fraction:
    match part:
        case ast.Constant(value=int() | float() as constant):
            return Fraction(repr(constant))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, number)
        case ast.UnaryOp(operand=operand):
            return _evaluate(operand, number)
        case ast.BinOp(left=left, op=sign, right=right):
            calculate = OPERATORS[type(sign)]
            first = _evaluate(left, number)
            second = _evaluate(right, number)
            return Fraction(calculate(first, second))
    return number
