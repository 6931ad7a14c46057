"""Read YAML files strictly: what YAML would silently change is kept as written, or refused with
file, line and key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import yaml

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.plain_scalar import PlainScalar, may_be_typed

Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml if available. Unlike PyYAML's own scanner it accepts `{label: What is it?}`, as YAML 1.2
does.
"""

PLAIN_TAG = "!comfygradio/plain"
TEXT_TAG = "tag:yaml.org,2002:str"
MERGE_TAG = "tag:yaml.org,2002:merge"

SPLIT_NUMBER = r"[+-]?[0-9]+\.[0-9]+"


def _construct_plain(loader: Any, node: Any) -> PlainScalar:
    text = loader.construct_scalar(node)
    return PlainScalar.parse(text)


class PlainLoader(Loader):  # type: ignore[misc, valid-type]
    """Makes a `PlainScalar` of each unquoted scalar that a YAML reader does not take for
    a string.
    """

    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        **Loader.yaml_constructors,
        PLAIN_TAG: _construct_plain,
    }

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node that has none. PyYAML calls it for each node."""
        is_unquoted = kind is yaml.ScalarNode and implicit[0]
        # A key with nothing behind it stays None.
        if not is_unquoted or value == "":
            return super().resolve(kind, value, implicit)
        if value == "<<":
            return MERGE_TAG
        return PLAIN_TAG if may_be_typed(value) else TEXT_TAG


class Dumper(yaml.SafeDumper):
    """Quotes a text if any YAML reader, old or new, would take it for something else without
    quotes.
    """

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag that a node would be read with. PyYAML calls it for each node."""
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        is_unquoted = kind is yaml.ScalarNode and implicit[0]
        if is_unquoted and tag == TEXT_TAG and may_be_typed(value):
            return PLAIN_TAG
        return tag


class FileLimits(NamedTuple):
    """Maximum size of a file: its bytes, checked before anything is parsed, and its keys and values
    with aliases expanded.
    """

    max_bytes: int
    max_nodes: int


PRESET_LIMITS = FileLimits(256_000, 20_000)
"""A hundred times the size of a long preset. Reading that much takes two seconds."""

KeyLines = dict[tuple[str, ...], int]
"""Keys that lead to a value → its line, from 1."""

ErrorClass = type[ComfyGradioError]


def load_yaml(
    path: Path, error_class: ErrorClass, expected: str, limits: FileLimits = PRESET_LIMITS
) -> tuple[dict[str, Any], KeyLines]:
    """Load the keys and values of a file, and the line of each key.

    Unquoted numbers, booleans and nulls are `PlainScalar`, and are converted once their type is
    known. Raises an error of the class `error_class` that names file and line. `expected` is the
    sentence for a file without keys.
    """
    try:
        text = _read_text(path, error_class, limits)
        return _parse_tree(path, text, error_class, expected, limits)
    except OSError as error:
        raise error_class(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise error_class(f"{path} is not UTF-8 text.") from error
    except RecursionError as error:
        raise error_class(f"{path} is nested too deeply.") from error
    except yaml.YAMLError as error:
        raise error_class(_describe_yaml_error(path, error)) from error


def _read_text(path: Path, error_class: ErrorClass, limits: FileLimits) -> str:
    """Read the text of a file. A file that is too long is not read to its end."""
    with path.open("rb") as file:
        data = file.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise error_class(f"{path} is too long; at most {limits.max_bytes // 1000} kB are read.")
    # Editors on Windows may put a byte order mark at the beginning.
    return data.decode("utf-8-sig")


def _parse_tree(
    path: Path, text: str, error_class: ErrorClass, expected: str, limits: FileLimits
) -> tuple[dict[str, Any], KeyLines]:
    _limit_nodes(path, text, error_class, limits.max_nodes)
    loader = PlainLoader(text)
    tree = loader.get_single_node()  # read once: the lines and the values come from the same nodes
    if not isinstance(tree, yaml.MappingNode):
        raise error_class(f"{path}: {expected}")
    _count_nodes(path, tree, {}, error_class, limits.max_nodes)
    lines = _find_lines(path, tree, error_class)
    try:
        data: dict[str, Any] = loader.construct_document(tree)
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ) as error:  # PyYAML on `2024-13-45` or `!!bool maybe`
        raise error_class(f"{path}: a value cannot be read ({error}); put it in quotes.") from error
    return data, lines


def _limit_nodes(path: Path, text: str, error_class: ErrorClass, max_nodes: int) -> None:
    """Refuse too many keys and values before they become nodes, which is slow."""
    count = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.NodeEvent):
            count += 1
        if count > max_nodes:
            where = _format_place(path, event.start_mark)
            raise error_class(
                f"{where}: there are more than {max_nodes:,} keys and values; write less."
            )


def _count_nodes(
    path: Path, node: yaml.Node, known: dict[int, int], error_class: ErrorClass, max_nodes: int
) -> int:
    """Count the nodes of a tree with aliases expanded. Refuses too many."""
    if id(node) not in known:
        known[id(node)] = max_nodes  # a node that contains itself counts as too many
        count = 1
        for child in _list_children(node):
            count += _count_nodes(path, child, known, error_class, max_nodes)
        known[id(node)] = count
    if known[id(node)] >= max_nodes:
        where = f"{path}:{node.start_mark.line + 1}"
        raise error_class(
            f"{where}: this repeats too much, by anchors (&) and aliases (*); write less, or "
            "write it out."
        )
    return known[id(node)]


def _list_children(node: yaml.Node) -> list[yaml.Node]:
    """List the children of a node: keys and values, or the entries of a list."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner += [key, value]
    return inner


def _describe_yaml_error(path: Path, error: yaml.YAMLError) -> str:
    where = _format_place(path, getattr(error, "problem_mark", None))
    problem = getattr(error, "problem", None) or "cannot be parsed"
    return f"{where}: no valid YAML: {problem}."


def _format_place(path: Path, mark: Any) -> str:
    """Format the file and, if known, the line."""
    if not mark:
        return str(path)
    return f"{path}:{mark.line + 1}"


def _find_lines(path: Path, tree: yaml.Node, error_class: ErrorClass) -> KeyLines:
    """Find the line of every key. Refuses what YAML would silently change: duplicate keys and keys
    that are no text.
    """
    lines: KeyLines = {}
    seen: set[int] = set()

    def visit(node: yaml.Node, place: tuple[str, ...]) -> None:
        # An alias leads to a node a second time; its keys have the lines where they are written.
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for number, (key, value) in enumerate(node.value):
                inner = (*place, str(key.value))
                line = key.start_mark.line + 1
                if inner in lines:
                    raise error_class(f"{path}:{line}: the key {key.value} stands twice.")
                if key.tag == PLAIN_TAG and _is_text_in_old_yaml(key.value):
                    key.tag = TEXT_TAG
                if key.tag not in (TEXT_TAG, MERGE_TAG):
                    raise error_class(f"{path}:{line}: {_describe_bad_key(node, number)}")
                lines[inner] = line
                visit(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                visit(value, (*place, str(index)))

    visit(tree, ())
    return lines


def _describe_bad_key(node: yaml.MappingNode, number: int) -> str:
    """Explain how to write a key that is no text."""
    key, _ = node.value[number]
    advice = f'write the key {key.value} in quotes ("{key.value}").'
    numeral = _find_split_number(node, number)
    if numeral:
        return f"write {numeral} with a point if it is one number, else {advice}"
    return advice


def _find_split_number(node: yaml.MappingNode, number: int) -> str:
    """Find a number that a comma has split: in `{default: 7,5}` the 5 is a key of its own."""
    if number == 0:
        return ""
    _, before = node.value[number - 1]
    key, value = node.value[number]
    is_adjacent = before.end_mark.index + 1 == key.start_mark.index
    if not is_adjacent or value.value != "" or not isinstance(before, yaml.ScalarNode):
        return ""
    numeral = f"{before.value}.{key.value}"
    return numeral if re.fullmatch(SPLIT_NUMBER, numeral) else ""


def _is_text_in_old_yaml(text: str) -> bool:
    """Whether YAML 1.1 reads an unquoted scalar as text, such as the 1e3 of a choice."""
    resolver = yaml.resolver.Resolver()
    tag = resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag == TEXT_TAG)
