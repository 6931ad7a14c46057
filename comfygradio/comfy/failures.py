"""Sentences for people out of what servers say when a node fails or a prompt is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comfygradio.errors import ExecutionFailed, JobLost, NodeError, PromptRejected

LONGEST = 400
LONGEST_READ = 20_000
"""Characters of a server's text that are looked at."""
SHOWN_PROBLEMS = 5
FOLDERS = re.compile(r"(?<![\w/:.])(?:[A-Za-z]:[\\/]|/)(?:[^\\/\s'\"<>|:]+[\\/])+")
MEMORY_HINT = (
    "The server ran out of memory: choose a smaller size, fewer pictures at once or a smaller "
    "model."
)


def describe_failure(
    titles: Mapping[str, str],
    prompt_id: str,
    node_id: str,
    node_type: str,
    exception_type: str,
    message: str,
) -> ExecutionFailed:
    """The error for `execution_error`; traceback, inputs and the server's folders stay out of its
    text.
    """
    where = name_node(titles, node_id, node_type)
    reason = clean_text(message) or exception_type or "no reason given"
    text = f"{where} failed: {reason.rstrip('.')}."
    if is_out_of_memory(exception_type, message):
        text = f"{text} {MEMORY_HINT}"
    return ExecutionFailed(text, prompt_id, node_id, node_type, exception_type)


def is_out_of_memory(exception_type: str, message: str) -> bool:
    """Whether a node failed for want of memory, on the GPU or off it."""
    text = message.lower()
    return (
        exception_type.endswith(("OutOfMemoryError", "OOMError", "MemoryError"))
        or "out of memory" in text
    )


def clean_text(text: str, longest: int = LONGEST) -> str:
    """One line without control characters, tips and folders, cut at `longest` characters."""
    text = re.split(r"\bTIPS:|\bTraceback \(most recent call last\)", text[:LONGEST_READ])[0]
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = FOLDERS.sub("", line)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def name_node(titles: Mapping[str, str], node_id: str, node_type: str) -> str:
    """How a sentence calls a node: `KSampler (node 3)`, with the class where the title is another
    word.
    """
    title = titles.get(node_id) or node_type or "A node"
    extra = "" if not node_type or node_type == title else f", {node_type}"
    return f"{title} (node {node_id}{extra})" if node_id else title


def parse_node_errors(data: Any) -> tuple[NodeError, ...]:
    """The `node_errors` of `/prompt`: nested as servers send them, flat as guides say, or an old
    server's list.
    """
    return tuple(_walk_errors(data)) if isinstance(data, dict) else ()


def make_loss(url: str, prompt_id: str) -> JobLost:
    """What to say of a prompt that a server had and has no more."""
    return JobLost(
        f"ComfyUI at {url} has lost this job: it was restarted, or somebody deleted the job. "
        "Start it again.",
        prompt_id,
    )


def describe_node_errors(errors: Sequence[NodeError], titles: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each node error."""
    return tuple(
        f"{name_node(titles, error.node_id, error.class_type)}: {_describe(error)}"
        for error in errors
    )


def parse_rejection(body: Any, titles: Mapping[str, str]) -> PromptRejected:
    """The error for a 400 of `/prompt`, whatever its age: `error` may be a string or an object."""
    body = body if isinstance(body, dict) else {}
    error, node_errors = body.get("error"), parse_node_errors(body.get("node_errors"))
    top = error if isinstance(error, dict) else {"message": error or "", "type": ""}
    sentences = describe_node_errors(node_errors[:SHOWN_PROBLEMS], titles) or (
        _describe_top(top, titles),
    )
    more = len(node_errors) - SHOWN_PROBLEMS
    tail = (f"And {more} more.",) if more > 0 else ()
    text = " ".join(["ComfyUI refused the workflow.", *sentences, *tail])
    return PromptRejected(text, str(top.get("type") or ""), node_errors)


def read_titles(graph: Mapping[str, Any]) -> dict[str, str]:
    """Node id → title, or class where a node has no title."""
    return {str(key): _read_title(node) for key, node in graph.items() if isinstance(node, dict)}


def _read_title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return str(title or node.get("class_type") or "")


def _walk_errors(data: Mapping[str, Any]) -> Iterator[NodeError]:
    for node_id, entry in data.items():
        if not isinstance(entry, dict):
            continue
        errors = entry.get("errors")
        for error in errors if isinstance(errors, list) else [entry]:
            if isinstance(error, dict):
                yield _parse_error(str(node_id), str(entry.get("class_type") or ""), error)


def _parse_error(node_id: str, class_type: str, error: Mapping[str, Any]) -> NodeError:
    extra = error.get("extra_info")
    name = extra.get("input_name") if isinstance(extra, dict) else None
    kind, message = str(error.get("type") or ""), clean_text(str(error.get("message") or ""))
    details = clean_text(str(error.get("details") or ""))
    return NodeError(
        node_id, class_type, kind, message, details, name if isinstance(name, str) else None
    )


def _describe(error: NodeError) -> str:
    name = error.input_name or ""
    match error.type:
        case "required_input_missing":
            return f"the input {name or error.details} is missing."
        case "value_not_in_list":
            value = error.details.split(" not in ")[0]
            return f"{value} is not on this server. Choose another one or install it."
        case "value_smaller_than_min" | "value_bigger_than_max":
            return f"{name}: {error.message[:1].lower()}{error.message[1:]}."
        case "custom_validation_failed":
            return f"{error.details.replace(' - ', ': ', 1)}."
        case kind if kind.startswith("exception_during"):
            return (
                "it is linked to a node or an output that does not exist, or its inputs are "
                "incomplete."
            )
        case _:
            return ": ".join(part for part in (error.message, error.details) if part) + "."


def _describe_top(error: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    if error.get("type") == "prompt_no_outputs":
        return "It has no output node: add one, such as Save Image."
    message, details = (clean_text(str(error.get(key) or "")) for key in ("message", "details"))
    missing = _find_missing_class(error.get("extra_info"), message)
    if missing:
        node_id = details.removeprefix("Node ID '#").rstrip("'")
        where = ", ".join(part for part in (f"node {node_id}", titles.get(node_id)) if part)
        return f"This server has no node class {missing} ({where}). Install its custom node."
    text = ": ".join(part for part in (message.rstrip("."), details) if part)
    return f"{text}." if text else "It does not say why."


def _find_missing_class(extra: Any, message: str) -> str:
    """The class in `missing_node_type` (v0.12.0) or in the text of the older `invalid_prompt`."""
    if isinstance(extra, dict) and extra.get("class_type"):
        return clean_text(str(extra["class_type"]))
    rest = message.partition("because node ")[2].partition("\n")[0]
    return rest.rpartition(" does not exist")[0]
