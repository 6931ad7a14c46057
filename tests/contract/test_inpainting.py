from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.contract.plain_client import Graph, PlainClient, node, only

pytestmark = pytest.mark.real

SIZE = 128
PAINTED = (32, 32, 96, 96)
MIDDLE = (48, 48, 80, 80)
CORNER = (0, 0, 16, 16)


@pytest.fixture(scope="module")
def masked(comfy: PlainClient) -> str:
    """A picture whose middle is transparent, which means: to be painted."""
    picture = Image.linear_gradient("L").resize((SIZE, SIZE)).convert("RGBA")
    picture.paste((128, 128, 128, 0), PAINTED)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    files = {"image": (f"contract-{uuid.uuid4().hex}.png", buffer.getvalue())}
    return str(comfy.http.post("/upload/image", files=files).json()["name"])


def inpaint_graph(comfy: PlainClient, masked: str, kind: str) -> Graph:
    graph = comfy.text_graph(size=SIZE)
    graph["10"] = node("LoadImage", image=masked)
    graph["3"]["inputs"]["latent_image"] = ["5", 0]
    if kind == "VAEEncodeForInpaint":
        graph["5"] = node(kind, pixels=["10", 0], vae=["4", 2], mask=["10", 1], grow_mask_by=0)
    elif kind == "SetLatentNoiseMask":
        graph["11"] = node("VAEEncode", pixels=["10", 0], vae=["4", 2])
        graph["5"] = node(kind, samples=["11", 0], mask=["10", 1])
    else:
        links = {
            "positive": ["6", 0],
            "negative": ["7", 0],
            "vae": ["4", 2],
            "pixels": ["10", 0],
            "mask": ["10", 1],
        }
        graph["5"] = node(kind, **links, noise_mask=True)
        graph["3"]["inputs"] |= {
            "positive": ["5", 0],
            "negative": ["5", 1],
            "latent_image": ["5", 2],
        }
    return graph


def paint(comfy: PlainClient, graph: Graph, seed: int) -> Image.Image:
    graph["3"]["inputs"]["seed"] = seed
    _, messages = comfy.run(graph)
    file: dict[str, Any] = only(messages, "executed")[0]["output"]["images"][0]
    with Image.open(io.BytesIO(comfy.http.get("/view", params=file).content)) as picture:
        return picture.convert("RGB")


def difference(first: Image.Image, second: Image.Image, box: tuple[int, int, int, int]) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(first.crop(box), second.crop(box))).mean)


@pytest.mark.parametrize(
    "kind", ["SetLatentNoiseMask", "VAEEncodeForInpaint", "InpaintModelConditioning"]
)
def test_another_seed_changes_only_what_is_masked(
    comfy: PlainClient, masked: str, kind: str
) -> None:
    graph = inpaint_graph(comfy, masked, kind)
    first, second = paint(comfy, graph, 11), paint(comfy, graph, 12)
    assert first.size == (SIZE, SIZE)
    assert difference(first, second, MIDDLE) > 4 * difference(first, second, CORNER)
    assert difference(first, second, MIDDLE) > 1
