"""Turn what servers say about failed nodes and rejected prompts into sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comfygradio.errors import ExecutionFailed, JobLost, NodeError, PromptRejected

MAX_LENGTH = 400
MAX_INPUT_LENGTH = 20_000
"""Maximum number of characters of a server's text that are read."""
SHOWN_PROBLEMS = 5
ASIDES = r"\bTIPS:|\bTraceback \(most recent call last\)"
"""Where a text starts to be of no use to someone who reads a single line."""
FOLDERS = r"(?<![\w/:.])(?:[A-Za-z]:[\\/]|/)(?:[^\\/\s'\"<>|:]+[\\/])+"
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
    """Build the error for `execution_error`. Its text contains no traceback, inputs or server
    paths.
    """
    where = name_node(titles, node_id, node_type)
    reason = clean_text(message) or exception_type or "no reason given"
    reason = reason.rstrip(".")
    text = f"{where} failed: {reason}."
    if is_out_of_memory(exception_type, message):
        text = f"{text} {MEMORY_HINT}"
    return ExecutionFailed(text, prompt_id, node_id, node_type, exception_type)


def is_out_of_memory(exception_type: str, message: str) -> bool:
    """Whether a node failed because GPU or main memory ran out."""
    if exception_type.endswith(("OutOfMemoryError", "OOMError", "MemoryError")):
        return True
    return "out of memory" in message.lower()


def clean_text(text: str, longest: int = MAX_LENGTH) -> str:
    """Reduce a text to one line without control characters, tips and paths, cut at `longest`
    characters.
    """
    # After running out of memory, ComfyUI adds tips of several lines to the message.
    beginning, *_ = re.split(ASIDES, text[:MAX_INPUT_LENGTH])
    printable = "".join(char if char.isprintable() else " " for char in beginning)
    words = printable.split()
    # Folders of the server are left out; the names of files in them stay.
    line = re.sub(FOLDERS, "", " ".join(words))
    if len(line) <= longest:
        return line
    return f"{line[: longest - 1]}…"


def name_node(titles: Mapping[str, str], node_id: str, node_type: str) -> str:
    """Name a node in a sentence: `KSampler (node 3)`. Adds the class if the title differs."""
    title = titles.get(node_id) or node_type or "A node"
    if not node_id:
        return title
    if not node_type or node_type == title:
        return f"{title} (node {node_id})"
    return f"{title} (node {node_id}, {node_type})"


def parse_node_errors(data: Any) -> tuple[NodeError, ...]:
    """Parse the `node_errors` of `/prompt`: nested as servers send them, flat as guides describe
    them, or the list of an old server.
    """
    if not isinstance(data, dict):
        return ()
    return tuple(_walk_errors(data))


def make_job_lost(url: str, prompt_id: str) -> JobLost:
    """Build the error for a prompt that a server had and no longer has."""
    return JobLost(
        f"ComfyUI at {url} has lost this job: it was restarted, or somebody deleted the job. "
        "Start it again.",
        prompt_id,
    )


def describe_node_errors(errors: Sequence[NodeError], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Write one sentence for each node error."""
    sentences: list[str] = []
    for error in errors:
        name = name_node(titles, error.node_id, error.class_type)
        reason = _describe(error)
        sentences.append(f"{name}: {reason}")
    return tuple(sentences)


def parse_rejection(body: Any, titles: Mapping[str, str]) -> PromptRejected:
    """Build the error for a 400 response of `/prompt`. In any version, `error` may be a string or
    an object.
    """
    body = body if isinstance(body, dict) else {}
    node_errors = parse_node_errors(body.get("node_errors"))
    top = body.get("error")
    if not isinstance(top, dict):
        top = {"message": top or "", "type": ""}
    sentences = ["ComfyUI refused the workflow."]
    if node_errors:
        sentences += describe_node_errors(node_errors[:SHOWN_PROBLEMS], titles)
    else:
        sentences.append(_describe_top(top, titles))
    more = len(node_errors) - SHOWN_PROBLEMS
    if more > 0:
        sentences.append(f"And {more} more.")
    return PromptRejected(" ".join(sentences), str(top.get("type") or ""), node_errors)


def read_titles(graph: Mapping[str, Any]) -> dict[str, str]:
    """Map each node id to the node's title, or to its class if it has no title."""
    titles: dict[str, str] = {}
    for key, node in graph.items():
        if isinstance(node, dict):
            titles[str(key)] = _read_title(node)
    return titles


def _read_title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    if isinstance(meta, dict) and meta.get("title"):
        return str(meta["title"])
    return str(node.get("class_type") or "")


def _walk_errors(data: Mapping[str, Any]) -> Iterator[NodeError]:
    for node_id, entry in data.items():
        if not isinstance(entry, dict):
            continue
        class_type = str(entry.get("class_type") or "")
        errors = entry.get("errors")
        if not isinstance(errors, list):
            # The flat shape: the entry itself is the only error of its node.
            errors = [entry]
        for error in errors:
            if isinstance(error, dict):
                yield _parse_error(str(node_id), class_type, error)


def _parse_error(node_id: str, class_type: str, error: Mapping[str, Any]) -> NodeError:
    extra = error.get("extra_info")
    name = extra.get("input_name") if isinstance(extra, dict) else None
    return NodeError(
        node_id,
        class_type,
        type=str(error.get("type") or ""),
        message=_read_text(error, "message"),
        details=_read_text(error, "details"),
        input_name=name if isinstance(name, str) else None,
    )


def _read_text(error: Mapping[str, Any], key: str) -> str:
    text = str(error.get(key) or "")
    return clean_text(text)


def _join_texts(separator: str, *texts: str | None) -> str:
    given = [text for text in texts if text]
    return separator.join(given)


def _describe(error: NodeError) -> str:
    name = error.input_name or ""
    match error.type:
        case "required_input_missing":
            return f"the input {name or error.details} is missing."
        case "value_not_in_list":
            # ComfyUI writes "name: 'value' not in ['one',
            # 'two']" or "… not in (list of length 40)".
            value = error.details.split(" not in ")[0]
            return f"{value} is not on this server. Choose another one or install it."
        case "value_smaller_than_min" | "value_bigger_than_max":
            message = error.message[:1].lower() + error.message[1:]
            return f"{name}: {message}."
        case "custom_validation_failed":
            # ComfyUI writes "image - Invalid image file: x.png".
            return f"{error.details.replace(' - ', ': ', 1)}."
        case kind if kind.startswith("exception_during"):
            return (
                "it is linked to a node or an output that does not exist, or its inputs are "
                "incomplete."
            )
        case _:
            return _join_texts(": ", error.message, error.details) + "."


def _describe_top(error: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    if error.get("type") == "prompt_no_outputs":
        return "It has no output node: add one, such as Save Image."
    message = _read_text(error, "message")
    details = _read_text(error, "details")
    missing = _find_missing_class(error.get("extra_info"), message)
    if missing:
        # ComfyUI writes "Node ID '#12'".
        node_id = details.removeprefix("Node ID '#").rstrip("'")
        where = _join_texts(", ", f"node {node_id}", titles.get(node_id))
        return f"This server has no node class {missing} ({where}). Install its custom node."
    text = _join_texts(": ", message.rstrip("."), details)
    if not text:
        return "It does not say why."
    return f"{text}."


def _find_missing_class(extra: Any, message: str) -> str:
    """Find the class in `missing_node_type` (v0.12.0) or in the text of the old
    `invalid_prompt`.
    """
    if isinstance(extra, dict) and extra.get("class_type"):
        return clean_text(str(extra["class_type"]))
    # The text was "Cannot execute because node X does not exist.".
    rest = message.partition("because node ")[2]
    line = rest.partition("\n")[0]
    return line.rpartition(" does not exist")[0]
