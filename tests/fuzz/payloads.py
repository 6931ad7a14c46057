"""Odd values, and the calls of a function that carry them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.security.callable_endpoint import Endpoint, make_file


def list_payloads(paths: Sequence[str], size: int) -> Iterator[tuple[str, Any]]:
    """At least 40 odd values: paths as texts and as files, deep, huge, and of wrong types.

    A call that has one of them under every key stays below the largest body that is taken, 1 MB.
    """
    for number, path in enumerate(paths):
        yield f"path {number}", path
        yield f"file {number}", make_file(path)
        yield f"file without a mark {number}", {"path": path}
        yield f"painting {number}", {"background": make_file(path), "layers": [make_file(path)]}
        yield f"update {number}", {"__type__": "update", "value": path}
    yield "address", make_file("http://127.0.0.1:1/x.png", url="http://127.0.0.1:1/x.png")
    yield "file with no text for a path", {"path": 7, "meta": {"_type": "gradio.FileData"}}
    yield "file with an odd mark", {"path": "x", "meta": 7}
    yield "file of bytes", {"path": "a\0b", "meta": {"_type": "gradio.FileData"}}
    yield "deep list", nest(size // 50, list)
    yield "deep mapping", nest(size // 50, dict)
    yield "long list", [None] * (size // 10)
    yield "long list of texts", ["a"] * (size // 10)
    yield "wide mapping", {str(number): number for number in range(size // 20)}
    for unit in (" ", "[", '"', "1,", "<lora:", "{a|", "a=", "//", "x1"):
        yield f"long text of {unit}", unit * (size // len(unit))
    yield from {
        "nothing": None,
        "true": True,
        "number": 7,
        "negative": -1,
        "huge number": 10**300,
        "many digits": int("9" * 4000),
        "tiny": 1e-320,
        "no text": "",
        "digits": "9" * 5000,
        "infinite text": "Infinity",
        "size with spaces": f"1{' ' * 40_000}y",
        "half characters": "\ud800",
        "zero bytes": "\0" * 100,
        "markup": "<script>alert(1)</script>",
        "empty list": [],
        "empty mapping": {},
        "lists in lists": [[[]]],
        "list of all": [None, True, 1, "a", [], {}],
        "prototype": {"__proto__": 1, "__class__": 2, "constructor": 3},
    }.items()


def nest(depth: int, kind: type) -> Any:
    """A value in a value in a value …"""
    found: Any = kind()
    for _ in range(depth):
        found = [found] if kind is list else {"a": found}
    return found


KEYS = (
    *("preset", "values", "fields", "value", "number", "token", "tokens", "access", "secret"),
    *("person", "index", "field", "cell", "overwrite", "definition", "planned", "query", "since"),
    *("all", "rating", "on", "before", "source", "rows", "name", "title", "axes", "act"),
)
"""What functions look for in what they are sent."""


def list_calls(endpoint: Endpoint, access: str, value: Any) -> Iterator[tuple[Any, Any]]:
    """Data and event data with the value as a whole, in all places, and below every key."""
    keyed = dict.fromkeys(KEYS, value)
    if endpoint.component >= 0:
        yield value, None
        yield [access, {**keyed, "preset": "text_to_image"}], None
        definition = {"preset": "text_to_image", "values": keyed, "axes": [[keyed]]}
        yield [access, {"definition": definition, "token": access}], None
        return
    yield [value] * endpoint.inputs, value
    yield [value] * endpoint.inputs, {**keyed, "preset": "text_to_image"}
    yield [None] * endpoint.inputs, {**keyed, "access": access}
    yield value, None
