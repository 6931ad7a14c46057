from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from comfygradio.demo import DemoServer
from comfygradio.demo.media.painting import Recipe, draw_noise, draw_step
from tests.demo.prompt_run import Graph, node, only, picture, run, text_graph

pytestmark = pytest.mark.deep


def difference(first: Image.Image, second: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean)


CHANGES: list[tuple[str, str, Any]] = [
    ("6", "text", "a harbour"),
    ("7", "text", "dark"),
    ("3", "seed", 2),
    ("3", "steps", 3),
    ("3", "cfg", 9.0),
    ("3", "sampler_name", "heun"),
    ("3", "scheduler", "karras"),
    ("3", "denoise", 0.9),
    ("4", "ckpt_name", "photo-xl.safetensors"),
]


@pytest.mark.parametrize(("node_id", "name", "value"), CHANGES)
def test_every_input_changes_the_picture(
    server: DemoServer, node_id: str, name: str, value: Any
) -> None:
    graph = text_graph()
    graph[node_id]["inputs"][name] = value
    assert difference(picture(server, text_graph()), picture(server, graph)) > 0.5


def test_a_lora_changes_the_picture(server: DemoServer) -> None:
    graph = text_graph(model=["10", 0])
    lora = {"lora_name": "watercolor.safetensors", "strength_model": 1.0, "strength_clip": 1.0}
    graph["10"] = node("LoraLoader", model=["4", 0], clip=["4", 1], **lora)
    assert difference(picture(server, text_graph()), picture(server, graph)) > 0.5


def test_the_same_inputs_give_the_same_picture(server: DemoServer) -> None:
    first = picture(server, text_graph())
    picture(server, text_graph(seed=77))
    assert difference(first, picture(server, text_graph())) == 0


def test_denoise_decides_how_much_of_the_source_stays(server: DemoServer) -> None:
    distances = []
    for denoise in (0.1, 0.5, 0.9):
        graph = text_graph(latent_image=["11", 0], denoise=denoise)
        graph["10"] = node("EmptyImage", width=64, height=64, batch_size=1, color=0xFF00FF)
        graph["11"] = node("VAEEncode", pixels=["10", 0], vae=["4", 2])
        distances.append(difference(picture(server, graph), Image.new("RGB", (64, 64), "#ff00ff")))
    assert distances[0] < distances[1] < distances[2]


def test_only_the_masked_area_is_repainted(server: DemoServer) -> None:
    graph: Graph = text_graph(latent_image=["12", 0])
    graph["10"] = node("LoadImage", image="example-mask.png")
    graph["11"] = node("VAEEncode", pixels=["10", 0], vae=["4", 2])
    graph["12"] = node("SetLatentNoiseMask", samples=["11", 0], mask=["10", 1])
    painted = picture(server, graph)
    source = httpx.get(
        f"{server.url}/view", params={"filename": "example.png", "type": "input"}
    ).content
    with Image.open(io.BytesIO(source)) as example:
        assert difference(painted.crop((0, 0, 100, 384)), example.crop((0, 0, 100, 384))) == 0
        assert (
            difference(painted.crop((200, 120, 300, 220)), example.crop((200, 120, 300, 220))) > 5
        )


@pytest.mark.parametrize(
    "kind", ["SetLatentNoiseMask", "VAEEncodeForInpaint", "InpaintModelConditioning"]
)
def test_inpainting_shows_where_it_was_painted(server: DemoServer, kind: str) -> None:
    """Of the example only the disc changes, whatever node brings the mask, and it
    changes visibly.
    """
    graph: Graph = text_graph(latent_image=["12", 0])
    graph["10"] = node("LoadImage", image="example-mask.png")
    graph["11"] = node("VAEEncode", pixels=["10", 0], vae=["4", 2])
    if kind == "SetLatentNoiseMask":
        graph["12"] = node(kind, samples=["11", 0], mask=["10", 1])
    elif kind == "VAEEncodeForInpaint":
        graph["12"] = node(kind, pixels=["10", 0], vae=["4", 2], mask=["10", 1], grow_mask_by=6)
    else:
        links = {
            "positive": ["6", 0],
            "negative": ["7", 0],
            "pixels": ["10", 0],
            "mask": ["10", 1],
            "vae": ["4", 2],
        }
        graph["12"] = node(kind, **links, noise_mask=True)
        graph["3"]["inputs"] |= {
            "positive": ["12", 0],
            "negative": ["12", 1],
            "latent_image": ["12", 2],
        }
    painted = picture(server, graph)
    source = picture(server, {"1": graph["10"], "2": node("PreviewImage", images=["1", 0])})
    changed = (
        ImageChops.difference(painted, source).convert("L").point(lambda level: 255 * (level > 8))
    )
    left, top, right, bottom = changed.getbbox() or (0, 0, 0, 0)
    assert 165 <= left <= 200 and 85 <= top <= 120, "the disc spans 176 to 336 and 96 to 256"
    assert 312 <= right <= 348 and 232 <= bottom <= 268
    assert ImageStat.Stat(changed.crop((200, 120, 312, 232))).mean[0] > 128


def test_without_a_noise_mask_everything_changes(server: DemoServer) -> None:
    graph: Graph = text_graph(positive=["12", 0], negative=["12", 1], latent_image=["12", 2])
    links = {
        "positive": ["6", 0],
        "negative": ["7", 0],
        "pixels": ["10", 0],
        "mask": ["10", 1],
        "vae": ["4", 2],
    }
    graph["10"] = node("LoadImage", image="example-mask.png")
    graph["12"] = node("InpaintModelConditioning", **links, noise_mask=False)
    source = picture(server, {"1": graph["10"], "2": node("PreviewImage", images=["1", 0])})
    assert (
        difference(picture(server, graph).crop((0, 0, 100, 100)), source.crop((0, 0, 100, 100))) > 5
    )


def control_graph(strength: float) -> Graph:
    graph: Graph = text_graph(size=128, positive=["22", 0], negative=["22", 1])
    graph["20"] = node("ControlNetLoader", control_net_name="pose-sd15.safetensors")
    graph["21"] = node("LoadImage", image="example.png")
    links = {
        "positive": ["6", 0],
        "negative": ["7", 0],
        "control_net": ["20", 0],
        "image": ["21", 0],
    }
    graph["22"] = node(
        "ControlNetApplyAdvanced", **links, strength=strength, start_percent=0.0, end_percent=1.0
    )
    return graph


def test_a_control_net_draws_its_outlines_as_strongly_as_asked(server: DemoServer) -> None:
    plain = picture(server, text_graph(size=128))
    assert difference(picture(server, control_graph(0.0)), plain) == 0
    weak, strong = picture(server, control_graph(0.3)), picture(server, control_graph(1.0))
    brightness = [ImageStat.Stat(shown.convert("L")).mean[0] for shown in (weak, strong)]
    assert brightness[0] < brightness[1]
    assert difference(weak, plain) > 1


def test_control_nets_are_offered(server: DemoServer) -> None:
    spec = httpx.get(f"{server.url}/object_info/ControlNetLoader").json()["ControlNetLoader"][
        "input"
    ]["required"]
    names = httpx.get(f"{server.url}/models/controlnet").json()
    assert (
        spec["control_net_name"][0] == names == ["lines-sd15.safetensors", "pose-sd15.safetensors"]
    )


@pytest.mark.parametrize(("name", "factor"), [("soft-x2.pth", 2), ("sharp-x4.pth", 4)])
def test_upscalers_multiply_the_size(server: DemoServer, name: str, factor: int) -> None:
    graph = {
        "1": node("EmptyImage", width=32, height=16, batch_size=1, color=0),
        "2": node("UpscaleModelLoader", model_name=name),
        "3": node("ImageUpscaleWithModel", upscale_model=["2", 0], image=["1", 0]),
        "4": node("PreviewImage", images=["3", 0]),
    }
    assert picture(server, graph).size == (32 * factor, 16 * factor)


def test_dynamic_inputs_scale(server: DemoServer) -> None:
    sizes = {"resize_type": "scale dimensions", "resize_type.width": 20, "resize_type.height": 10}
    graph = {
        "1": node("EmptyImage", width=64, height=64, batch_size=1, color=7),
        "2": node(
            "ResizeImageMaskNode",
            input=["1", 0],
            scale_method="area",
            **sizes,
            **{"resize_type.crop": "center"},
        ),
        "3": node("BatchImagesNode", **{"images.image0": ["2", 0], "images.image1": ["2", 0]}),
        "4": node("PreviewImage", images=["3", 0]),
    }
    assert len(only(run(server, graph), "executed")[0]["output"]["images"]) == 2
    assert picture(server, graph).size == (20, 10)


def test_every_class_of_the_catalog_can_run(server: DemoServer) -> None:
    from comfygradio.demo.nodes import all_nodes

    assert set(httpx.get(f"{server.url}/object_info").json()) <= set(all_nodes())


def test_frames_get_closer_to_the_end() -> None:
    final = Recipe("hills", "a", "b").draw(128, 128)
    noise = draw_noise(1, 128, 128)
    distances = [difference(draw_step(final, noise, part / 8), final) for part in range(1, 9)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] == 0
