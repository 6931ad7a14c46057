"""A demo server that has learned the classes of a real one judges prompts as that one does (needs
COMFYUI_URL).
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.contract.plain_client import Graph, node

from .conftest import REAL

pytestmark = [
    pytest.mark.real,
    pytest.mark.deep,
    pytest.mark.skipif(not REAL, reason="COMFYUI_URL names no real server"),
]

OWN_CHECKS = {
    "Load3D",
    "Load3DAdvanced",
    "Load3DAnimation",
    "ComfySwitchNode",
    "ComfySoftSwitchNode",
    "CustomCombo",
    "ModelAttentionBackend",
    "TripoConversionNode",
    "FluxProUltraImageNode",
}
"""Classes whose own checks the demo server does not know to the letter."""
MODEL_LISTS = ("checkpoints", "loras", "vae", "upscale_models", "controlnet")
ODD_VALUES: tuple[Any, ...] = (
    "abc", "", None, 5, -1, 1.5, 1e30, True, [],
    ["image", 0], ["text", 0], ["models", 1], ["models", 9], ["image", -1], ["image"],
    ["image", 0, 0], {"__value__": ["a", "b"]}, {"__value__": "7"}, {"a": 1},
    "no such file.bin", "../x.png",
)  # fmt: skip
LINKS = {
    "IMAGE": ["image", 0],
    "MODEL": ["models", 0],
    "CLIP": ["models", 1],
    "VAE": ["models", 2],
    "*": ["text", 0],
}
PLAIN = {"INT": 3, "FLOAT": 2.5, "STRING": "text", "BOOLEAN": False}


class Writer:
    """Writes random inputs for a class, most of them wrong somewhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def inputs(self, sections: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._inputs("", sections))

    def _inputs(self, prefix: str, sections: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for section, left_out in (("required", 0.1), ("optional", 0.4)):
            for name, spec in (sections.get(section) or {}).items():
                if self._random.random() >= left_out:
                    yield from self._input(prefix + name, spec)

    def _input(self, name: str, spec: list[Any]) -> Iterator[tuple[str, Any]]:
        if spec[0] == "COMFY_DYNAMICCOMBO_V3":
            option = self._random.choice([*spec[1]["options"], {"key": "unknown", "inputs": {}}])
            yield name, option["key"]
            yield from self._inputs(f"{name}.", option["inputs"])
        elif spec[0] == "COMFY_AUTOGROW_V3":
            template = spec[1]["template"]
            inner = next(
                iter(next(iter(group.values())) for group in template["input"].values() if group)
            )
            names = template.get("names") or [
                f"{template['prefix']}{index}" for index in range(template["max"])
            ]
            for child in names[: self._random.randrange(4)]:
                yield f"{name}.{child}", self._value(inner)
        else:
            yield name, self._value(spec)

    def _value(self, spec: list[Any]) -> Any:
        flags = spec[1] if len(spec) > 1 else {}
        options = spec[0] if isinstance(spec[0], list) else flags.get("options", [])
        if any(flag.endswith("_upload") for flag in flags):
            options = []  # the twin has no copies of the real server's files
        good = LINKS.get(str(spec[0]), PLAIN.get(str(spec[0]), "const"))
        choices = [self._random.choice(ODD_VALUES), flags.get("default", good)]
        choices += [self._random.choice(options)] if options else [good]
        choices += [flags["min"] - 1, flags["max"] + 1] if {"min", "max"} <= set(flags) else [good]
        return copy.deepcopy(self._random.choice(choices))


@pytest.fixture(scope="module")
def classes() -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{REAL}/object_info", timeout=60).json()
    return answer


@pytest.fixture(scope="module")
def twin(classes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    folder: Path = tmp_path_factory.mktemp("twin")
    (folder / "classes.json").write_text(json.dumps(classes), encoding="utf-8")
    models: dict[str, Any] = {
        name: tuple(httpx.get(f"{REAL}/models/{name}").json()) for name in MODEL_LISTS
    }
    version = httpx.get(f"{REAL}/system_stats").json()["system"]["comfyui_version"]
    options = DemoOptions(version=version, extra_classes=folder / "classes.json", **models)
    with DemoServer(options, folder=folder) as server:
        yield server


def test_every_class_is_listed(classes: dict[str, Any], twin: DemoServer) -> None:
    assert set(classes) <= set(httpx.get(f"{twin.url}/object_info", timeout=60).json())


@pytest.mark.parametrize("seed", range(3))
def test_random_inputs_of_every_class_are_judged_alike(
    classes: dict[str, Any], twin: DemoServer, seed: int
) -> None:
    writer, different = Writer(seed), []
    with httpx.Client(timeout=60) as http:
        for name in sorted(set(classes) - OWN_CHECKS):
            graph = embed(name, writer.inputs(classes[name]["input"]), classes)
            body = {"prompt": graph, "partial_execution_targets": ["end"]}
            real, demo = (judge(http.post(f"{url}/prompt", json=body)) for url in (REAL, twin.url))
            if real != demo:
                different.append((name, graph["it"]["inputs"], real, demo))
    assert different == []


def embed(class_type: str, inputs: dict[str, Any], classes: dict[str, Any]) -> Graph:
    """The node between sources and an output that is refused in any case, so that nothing is ever
    run.
    """
    graph = {
        "image": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
        "text": node("PrimitiveString", value="x"),
        "models": node(
            "CheckpointLoaderSimple",
            ckpt_name=classes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0][0],
        ),
        "it": node(class_type, **inputs),
        "stop": node("ImageCompositeMasked", destination=["image", 0], source=["it", 0]),
        "end": node("PreviewAny", source=["stop", 0]),
    }
    if "ResizeImageMaskNode" in classes:  # takes a link of any type
        graph["stop"] = node("ResizeImageMaskNode", input=["it", 0])
    return graph


def judge(answer: httpx.Response) -> tuple[int, Any]:
    """Status and, per node, the errors in an order of their own, without tracebacks
    and tooltips.
    """
    if answer.status_code != 400:
        return answer.status_code, answer.text
    errors = {
        node_id: (
            blamed["class_type"],
            blamed["dependent_outputs"],
            sorted(map(plain_text, blamed["errors"])),
        )
        for node_id, blamed in answer.json()["node_errors"].items()
    }
    return 400, errors


def plain_text(value: Any) -> str:
    """An error as text to compare. What a failed check raised is left out: ComfyUI takes a node's
    inputs in the order of a set, so that the first faulty one of several is another one after each
    start (v0.33.0, `validate_inputs`).
    """
    left_out = {"tooltip", "traceback"}
    if value["type"] == "exception_during_inner_validation":
        left_out |= {"details", "exception_message", "exception_type"}

    def strip(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: strip(child) for key, child in part.items() if key not in left_out}
        return [strip(child) for child in part] if isinstance(part, list) else part

    return json.dumps(strip(value), sort_keys=True)
