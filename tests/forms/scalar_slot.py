"""A server with an input of each kind, scalars as people write them into YAML files, and what each
of them has to become there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from comfygradio.comfy.object_info import ObjectInfo

OTHER = "something else"

KNOWN = (
    *("007", "0", "-0", "+7", "0010", "1_000", "1_0", "12:30", "1:30:45", "190:20:30.15", "0x1F"),
    *("0xff8800", "0o17", "0b101", "1.10", "1.0", "2.", ".5", "-.25", "1e3", "1.5E-2", "6.02e23"),
    *("1.000", "12.500", "7,5", "1,000", ".inf", "-.INF", ".nan", "null", "Null", "~", "true"),
    *("True", "FALSE", "yes", "No", "on", "OFF", "y", "n", "2024-01-05", "2024-13-45", "="),
    *("2001-12-14t21:59:43.10-05:00", "1.2.3", "v1.10", "512x768", "18446744073709551615"),
    *("9007199254740993", "1e400", "3/4", "50%", "none", "nan", "Infinity", "0.1", "1e+3", "0e0"),
)
"""What one reader of YAML or another takes for something else than its letters."""

SCALARS = (
    st.sampled_from(KNOWN)
    | st.from_regex(r"[-+]?0{0,3}[0-9]{1,12}", fullmatch=True)
    | st.from_regex(r"[-+]?[0-9]{1,4}\.[0-9]{0,4}([eE][-+]?[0-9]{1,2})?", fullmatch=True)
    | st.from_regex(r"[1-9][0-9]{0,2}(_[0-9]{1,3}){1,2}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,3}(:[0-5][0-9]){1,2}", fullmatch=True)
    | st.from_regex(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]", fullmatch=True)
    | st.from_regex(r"0x[0-9a-fA-F]{1,6}|0o[0-7]{1,5}|0b[01]{1,8}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}", fullmatch=True)
    | st.from_regex(r"[a-zA-Z][a-zA-Z0-9.]{0,6}", fullmatch=True)
)

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NULL = ("null", "Null", "NULL", "~")
ON, OFF = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True)
class RejectedScalar:
    """What cannot be both is refused."""


REFUSED = RejectedScalar()


def make_info(*entries: Any) -> ObjectInfo:
    """A class with an input of each kind, whose list has these entries."""
    required = {
        "text": ["STRING", {"default": OTHER}],
        "real": ["FLOAT", {"default": 0.5}],
        "whole": ["INT", {"default": 5}],
        "switch": ["BOOLEAN", {"default": False}],
        "listed": [[*entries], {}],
    }
    taker = {"input": {"required": required}, "output": [], "name": "Taker", "output_node": True}
    return ObjectInfo.from_json({"Taker": taker})


def make_flow(**inputs: Any) -> dict[str, Any]:
    """A workflow of one node of that class."""
    own = {"text": OTHER, "real": 0.5, "whole": 5, "switch": False, "listed": OTHER}
    return {"1": {"class_type": "Taker", "inputs": {**own, **inputs}}}


def expect(slot: str, scalar: str) -> Any:
    """What has to be posted in this input for a scalar, told from its letters alone."""
    if slot in ("text", "listed"):
        return scalar
    if slot == "switch":
        word = scalar.lower()
        return True if word in (*ON, "1") else False if word in (*OFF, "0") else REFUSED
    number = parse_number(scalar)
    is_digits = re.fullmatch(r"[+-]?[0-9]+|0[xo].*", scalar) is not None
    if number is None or abs(number) >= (10**60 if is_digits else 10**308):
        return REFUSED
    if slot == "real":
        is_unclear = re.fullmatch(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{2}0", scalar)
        return REFUSED if is_unclear else (int(number) if is_digits else float(number))
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}", scalar) or number != int(number):
        return REFUSED
    is_rounded = not is_digits and abs(number) >= 2**53
    return REFUSED if is_rounded else int(number)


def parse_number(scalar: str) -> Decimal | None:
    """The number that a scalar is for everybody, or in YAML's own way (0x1F)."""
    if re.fullmatch(r"0x[0-9a-fA-F]+|0o[0-7]+", scalar):
        return Decimal(int(scalar, 0))
    return Decimal(scalar) if NUMBER.fullmatch(scalar) else None
