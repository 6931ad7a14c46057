from __future__ import annotations

from typing import Any

import pytest

from comfygradio.comfy.failures import (
    clean_text,
    describe_failure,
    parse_node_errors,
    parse_rejection,
    read_titles,
)
from tests.comfy.recording import RecordedPost, load_posts

REFUSED = [post for post in load_posts() if post.status == 400]


@pytest.mark.parametrize("post", REFUSED, ids=[f"{post.name}: {post.note}" for post in REFUSED])
def test_recorded_refusals_become_sentences(post: RecordedPost) -> None:
    error = parse_rejection(post.answer, read_titles(post.graph))
    text = str(error)
    assert text.startswith("ComfyUI refused the workflow. ") and text.endswith(".")
    assert "/comfyui" not in text and "Traceback" not in text and "None" not in text
    assert all(item.node_id in text for item in error.node_errors[:5])


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (
            "value_not_in_list ckpt_name",
            "Load Checkpoint (node 4, CheckpointLoaderSimple): ckpt_name: 'absent.safetens",
        ),
        ("steps below min", "KSampler (node 3): steps: value 0 smaller than min of 1."),
        (
            "bad link: absent node",
            "(node 8, VAEDecode): it is linked to a node or an output that does not exist",
        ),
        ("no outputs", "It has no output node: add one"),
        ("unknown class_type", "This server has no node class NoSuchNode (node 9, Save Image)."),
    ],
)
def test_what_a_refusal_says(note: str, expected: str) -> None:
    post = next(post for post in REFUSED if post.note == note)
    assert expected in str(parse_rejection(post.answer, read_titles(post.graph)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": "no prompt", "node_errors": []}, "no prompt."),
        ({"error": {"message": "Bad", "details": "x"}}, "Bad: x."),
        (
            {
                "node_errors": {
                    "3": {"type": "t", "message": "Flat", "details": "d", "extra_info": {}}
                }
            },
            "Flat: d.",
        ),
        (None, "It does not say why."),
        ([1], "It does not say why."),
        ({"error": None, "node_errors": {"3": None}}, "It does not say why."),
    ],
)
def test_old_and_odd_refusals(body: Any, expected: str) -> None:
    assert str(parse_rejection(body, {})).endswith(expected)


def test_many_problems_are_counted() -> None:
    errors = [{"type": "t", "message": f"m{number}", "details": ""} for number in range(9)]
    assert "And 4 more." in str(
        parse_rejection({"node_errors": {"1": {"errors": errors, "class_type": "X"}}}, {})
    )


def test_node_errors_name_the_input() -> None:
    data = {
        "3": {
            "errors": [{"type": "t", "extra_info": {"input_name": "seed"}}],
            "class_type": "KSampler",
        }
    }
    assert [(error.node_id, error.input_name) for error in parse_node_errors(data)] == [
        ("3", "seed")
    ]
    assert parse_node_errors([]) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("boom\n", "boom"),
        ("[Errno 2] No such file: '/comfyui/input/a b.png'", "[Errno 2] No such file: 'a b.png'"),
        (r"cannot open C:\ComfyUI\models\x.safetensors", "cannot open x.safetensors"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("shape 1/2 a\x00b\x1b[0m", "shape 1/2 a b [0m"),
        ("oom\n\nTIPS: buy memory", "oom"),
        ("x" * 20_000, "x" * 399 + "…"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


def test_out_of_memory_says_what_to_do() -> None:
    error = describe_failure(
        {"3": "KSampler"}, "p", "3", "KSampler", "torch.OutOfMemoryError", "CUDA out of memory.\n"
    )
    assert str(error).startswith(
        "KSampler (node 3) failed: CUDA out of memory. The server ran out of memory: choose"
    )
    assert error.node_id == "3" and error.prompt_id == "p"
