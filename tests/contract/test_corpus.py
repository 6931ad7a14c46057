"""The forms of the corpus give prompts that a server accepts.

Nothing is run: each prompt is stopped at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfygradio import ComfyClient
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.submit import upload_files
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.demo import DemoOptions, DemoServer
from tests.forms.corpus import (
    INFO,
    Case,
    corpus_json,
    draft_form,
    fill_defaults,
    list_cases,
    make_media,
)

from .conftest import REAL

pytestmark = [pytest.mark.real, pytest.mark.deep]

MODEL_SUFFIXES = (".safetensors", ".ckpt", ".pth", ".bin")


@pytest.fixture(scope="module", params=["demo", "real"] if REAL else ["demo"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyClient]:
    """A demo server that has the classes and models of the corpus, and a real ComfyUI when
    COMFYUI_URL names one.
    """
    if request.param == "real":
        yield ComfyClient(REAL)
        return
    with DemoServer(describe_corpus(), folder=tmp_path_factory.mktemp("demo")) as server:
        yield ComfyClient(server.url)


@pytest.fixture(scope="module")
def info(client: ComfyClient) -> ObjectInfo:
    return client.object_info()


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


@pytest.mark.parametrize("case", list_cases(), ids=str)
def test_the_prompt_of_a_form_is_accepted(
    case: Case, client: ComfyClient, info: ObjectInfo, media: Mapping[str, Path], tmp_path: Path
) -> None:
    form = draft_form(replace(case, workflow=suit_models(case.workflow, info)), info, tmp_path)
    prompt = fill_defaults(form, media)
    accepted = client.queue_prompt(upload_files(client, prompt))
    client.cancel(accepted.prompt_id)
    assert accepted.node_errors == ()


def describe_corpus() -> DemoOptions:
    """The demo server keeps its own lists of models; here they are those of the corpus."""
    data = corpus_json()

    def names(class_type: str, name: str) -> tuple[str, ...]:
        spec: list[Any] = data[class_type]["input"]["required"][name]
        listed: list[str] = spec[0] if isinstance(spec[0], list) else spec[1]["options"]
        return tuple(item for item in listed if item != "pixel_space")

    return DemoOptions(
        step_seconds=0.0,
        extra_classes=INFO,
        checkpoints=names("CheckpointLoaderSimple", "ckpt_name"),
        loras=names("LoraLoader", "lora_name"),
        vae=names("VAELoader", "vae_name"),
        upscale_models=names("UpscaleModelLoader", "model_name"),
        controlnet=names("ControlNetLoader", "control_net_name"),
    )


def suit_models(workflow: Workflow, info: ObjectInfo) -> Workflow:
    """The workflow with models that the server has; skips the test where the server lacks something
    else.
    """
    if missing := workflow.class_types - info.nodes.keys():
        pytest.skip(f"the server has no {', '.join(sorted(missing))}")
    return replace(workflow, nodes={node.id: suit_node(node, info) for node in workflow})


def suit_node(node: Node, info: ObjectInfo) -> Node:
    specs = {
        name: info.spec(node.class_type, name, node.inputs)
        for name in node.inputs.keys() - node.links.keys()
    }
    return replace(
        node,
        inputs={**node.inputs, **{n: suit_value(node, s) for n, s in specs.items() if is_list(s)}},
    )


def is_list(spec: InputSpec | None) -> bool:
    return spec is not None and spec.choices is not None and not spec.media


def suit_value(node: Node, spec: InputSpec | None) -> Any:
    assert spec is not None and spec.choices is not None
    value = node.inputs[spec.name]
    if value in spec.choices:
        return value
    if not spec.choices or not str(value).endswith(MODEL_SUFFIXES):
        pytest.skip(f"the server has no {spec.name} {value}")
    return spec.choices[0]
