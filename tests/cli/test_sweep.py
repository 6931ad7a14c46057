"""`comfygradio sweep`: what is typed, what is planned, run, gone on with, and said."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.cli.arguments import join_axes
from comfygradio.cli.sweep import SweepCall, parse_axes, parse_sweep_call
from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import SettingsError
from comfygradio.settings import load_settings, shipped_presets
from comfygradio.sweeps.definition import load_definition
from comfygradio.sweeps.export.contact_sheet import load_sweep
from tests.clocks import HANG_SECONDS
from tests.comfy.gate import Gate

from .shell import Shell, finish, start

pytestmark = pytest.mark.deep

AXES = ("--axis", "cfg=2, 3", "--axis", "steps=2, 3", "--with", "sampler=euler, heun")


def test_a_sweep_prints_paths_in_the_order_as_typed(shell: Shell, demo: DemoServer) -> None:
    answer = shell(
        "sweep", "text_to_image", *AXES, "prompt=a cat", "--server", demo.url, "--out", "grid"
    )
    assert (answer.code, answer.err) == (0, "")
    paths = [Path(line) for line in answer.out.splitlines()]
    assert len(paths) == 4 and {path.parent for path in paths} == {Path("grid/pictures")}
    assert [path.name.rpartition(" ")[0] for path in paths] == [
        "2.0 2 euler",
        "2.0 3 heun",
        "3.0 2 euler",
        "3.0 3 heun",
    ]
    values = []
    for path in paths:
        with Image.open(path) as picture:
            values.append(json.loads(picture.info["comfygradio"])["values"])
    assert [(v["cfg"], v["steps"], v["sampler"], v["prompt"]) for v in values][1] == (
        2.0,
        3,
        "heun",
        "a cat",
    )
    assert len({v["seed"] for v in values}) == 1, "drawn once"


def test_json_and_the_definition_that_reads_as_the_same(shell: Shell, demo: DemoServer) -> None:
    answer = shell("sweep", "text_to_image", *AXES, "--server", demo.url, "--out", "grid", "--json")
    told = json.loads(answer.out)
    assert answer.code == 0 and (told["total"], told["done"], told["failed"]) == (4, 4, 0)
    assert [point["index"] for point in told["points"]] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert (
        told["points"][1]["labels"] == ["2", "3, heun"]
        and told["points"][1]["values"]["steps"] == 3
    )
    definition = load_definition(Path("grid/sweep.yaml"))
    assert definition.axes == ({"cfg": "2, 3"}, {"steps": "2, 3", "sampler": "euler, heun"})
    again = shell("sweep", "grid/sweep.yaml", "--server", demo.url, "--out", "grid", "--json")
    points = json.loads(again.out)["points"]
    assert [point["files"] for point in points] == [point["files"] for point in told["points"]], (
        "used again"
    )
    more = shell(
        "sweep",
        "grid/sweep.yaml",
        "--axis",
        "cfg=3, 4",
        "--server",
        demo.url,
        "--out",
        "grid",
        "--json",
    )
    assert json.loads(more.out)["total"] == 2
    fresh = shell("sweep", "grid/sweep.yaml", "--server", demo.url, "--out", "other", "--json")
    seeds = {Image.open(p["files"][0]).info["comfygradio"] for p in json.loads(fresh.out)["points"]}
    assert {json.loads(text)["values"]["seed"] for text in seeds} == {definition.values["seed"]}


def test_sheets_and_tables_lie_beside_the_pictures(shell: Shell, demo: DemoServer) -> None:
    answer = shell("sweep", "text_to_image", *AXES, "--server", demo.url, "--out", "grid")
    assert answer.code == 0
    names = sorted(path.name for path in Path("grid").iterdir())
    assert names == [
        ".comfygradio",
        "pictures",
        "sheet.png",
        "sweep.csv",
        "sweep.html",
        "sweep.json",
        "sweep.yaml",
    ]
    text = Path("grid/sweep.csv").read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 5 and all(
        Path(p).name in text for p in answer.out.splitlines()
    )
    assert load_sweep(Path("grid/sheet.png")) == load_definition(Path("grid/sweep.yaml")).to_json()


def test_a_plan_runs_nothing_and_leaves_nothing(shell: Shell, demo: DemoServer) -> None:
    demo.reset_executions()
    answer = shell("sweep", "text_to_image", *AXES, "--server", demo.url, "--plan")
    assert answer.code == 0 and answer.out.startswith("4 pictures in about ")
    assert "KSampler 4" in answer.out and "As typed: " in answer.out and "    4. " in answer.out
    told = json.loads(
        shell("sweep", "text_to_image", *AXES, "--server", demo.url, "--plan", "--json").out
    )
    assert told["points"] == 4 and told["planned"]["executions"]["CheckpointLoaderSimple"] == 1
    assert told["without_cache"]["executions"]["CheckpointLoaderSimple"] == 4
    assert sorted(index for segment in told["servers"] for index in segment) == [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
    ]
    assert not demo.executions and not list(Path().iterdir())


def test_a_plan_counts_what_is_there(shell: Shell, demo: DemoServer) -> None:
    shell(
        "sweep",
        "text_to_image",
        "--axis",
        "cfg=2, 3",
        "seed=5",
        "--server",
        demo.url,
        "--out",
        "grid",
    )
    answer = shell(
        "sweep",
        "text_to_image",
        "--axis",
        "cfg=2-5",
        "seed=5",
        "--server",
        demo.url,
        "--out",
        "grid",
        "--plan",
    )
    assert answer.out.startswith("2 pictures") and "2 more are there already." in answer.out


def test_two_servers_share_it(shell: Shell, demo: DemoServer) -> None:
    with DemoServer(DemoOptions(step_seconds=0)) as other:
        demo.reset_executions()
        servers = ("--server", demo.url, "--server", other.url)
        answer = shell(
            "sweep", "text_to_image", "--axis", "seed=1-12", "steps=2", *servers, "--out", "grid"
        )
        assert answer.code == 0 and len(answer.out.splitlines()) == 12
        assert demo.executions["SaveImage"] + other.executions["SaveImage"] == 12
        assert min(demo.executions["SaveImage"], other.executions["SaveImage"]) >= 1


def test_a_server_that_does_not_answer_is_said_and_the_other_one_used(
    shell: Shell, demo: DemoServer
) -> None:
    servers = ("--server", demo.url, "--server", "http://127.0.0.1:9")
    answer = shell("sweep", "text_to_image", "--axis", "steps=2, 3", *servers, "--out", "grid")
    assert (
        answer.code == 0
        and "http://127.0.0.1:9" in answer.err
        and len(answer.out.splitlines()) == 2
    )
    answer = shell(
        "sweep", "text_to_image", "--axis", "steps=2, 3", "--server", "http://127.0.0.1:9"
    )
    assert answer.code == 1 and answer.err.count("\n") == 1


def test_the_presets_own_axes_are_taken_when_none_are_given(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("text_to_image.yaml", "text_to_image.json"):
        text = (shipped_presets() / name).read_text(encoding="utf-8")
        (own / name).write_text(text, encoding="utf-8")
    with (own / "text_to_image.yaml").open("a") as file:
        file.write("\nsweep: {steps: '2, 3', cfg: 4}\n")
    answer = shell(
        "sweep", own / "text_to_image.yaml", "--server", demo.url, "--out", "grid", "--json"
    )
    told = json.loads(answer.out)
    assert [point["labels"] for point in told["points"]] == [["2", "4"], ["3", "4"]]
    assert shell("sweep", "--resume", "grid", "--server", demo.url).code == 0, (
        "the preset is found again"
    )


def test_pictures_on_an_axis_outlive_the_folder_they_came_from(
    shell: Shell, demo: DemoServer
) -> None:
    Path("in").mkdir()
    for name, color in (("b 1.png", "red"), ("b 2.png", "blue")):
        Image.new("RGB", (40, 30), color).save(f"in/{name}")
    flags = ("--server", demo.url, "--out", "big", "--json")
    answer = shell("sweep", "upscale", "--axis", "image=in/*.png", *flags)
    told = json.loads(answer.out)
    assert answer.code == 0 and [point["labels"] for point in told["points"]] == [
        ["b 1.png"],
        ["b 2.png"],
    ]
    for path in Path("in").iterdir():
        path.unlink()
    again = json.loads(shell("sweep", "--resume", "big", "--server", demo.url, "--json").out)
    assert again["points"] == told["points"]
    fresh = json.loads(
        shell("sweep", "big/sweep.yaml", "--server", demo.url, "--out", "new", "--json").out
    )
    assert fresh["done"] == 2 and fresh["points"][0]["labels"] == ["b 1.png"]


def test_points_that_fail_are_said_and_tried_again(shell: Shell) -> None:
    with DemoServer(DemoOptions(step_seconds=0, fail_at_step=3)) as broken:
        answer = shell(
            "sweep",
            "text_to_image",
            "--axis",
            "steps=2, 3",
            "--server",
            broken.url,
            "--out",
            "grid",
        )
    assert answer.code == 1 and len(answer.out.splitlines()) == 1
    assert "Steps: 3: " in answer.err and "1 of 2 points are done, 1 failed." in answer.err
    assert answer.err.rstrip().endswith("comfygradio sweep --resume grid --retry")
    with DemoServer(DemoOptions(step_seconds=0)) as whole:
        still = shell("sweep", "--resume", "grid", "--server", whole.url)
        assert still.code == 1 and len(still.out.splitlines()) == 1, (
            "without --retry nothing is run"
        )
        answer = shell("sweep", "--resume", "grid", "--retry", "--server", whole.url)
        assert (answer.code, answer.err) == (0, "") and len(answer.out.splitlines()) == 2
        assert whole.executions["SaveImage"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "Name a preset, or the file of a sweep; comfygradio presets lists the presets."),
        (["text_to_image"], 2, "A sweep needs an axis; write for example --axis cfg=1-10."),
        (["zzz", "--axis", "cfg=1"], 2, "There is no preset zzz"),
        (["text_to_image", "--axis", "cfg"], 2, "cfg is not of the form field=value"),
        (["text_to_image", "--with", "cfg=1"], 2, "--with cfg needs an --axis before it."),
        (
            ["text_to_image", "--axis", "cfg=1", "--with", "cfg=2"],
            2,
            "The field cfg was given twice.",
        ),
        (["text_to_image", "--axis", "cfg=1", "--with"], 2, "--with"),
        (
            ["text_to_image", "--axis", "cfgg=1", "--demo"],
            2,
            "cfgg: Text to image has no such field; did you mean cfg",
        ),
        (["text_to_image", "--axis", "cfg=1-x", "--demo"], 2, "cfg"),
        (["text_to_image", "--axis", "cfg=1", "steps=x", "--demo"], 2, "steps: "),
        (
            ["text_to_image", "--axis", "cfg=1-9 [400]", "--axis", "seed=1-400", "--demo"],
            2,
            "160,000 points; at most",
        ),
        (["--resume", "nowhere"], 2, "nowhere holds no sweep to go on with"),
        (["text_to_image", "--resume", "nowhere"], 2, "--resume DIR goes on with what is there"),
        (
            ["nothing.yaml", "--axis", "cfg=1"],
            2,
            "nothing.yaml cannot be read: No such file or directory.",
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    shell: Shell, arguments: list[str], code: int, told: str
) -> None:
    answer = shell("sweep", *arguments)
    assert (
        (answer.code, answer.out) == (code, "")
        and told in answer.err
        and answer.err.count("\n") == 1
    )


def test_with_joins_the_axis_before_it() -> None:
    given = [
        "sweep",
        "x",
        "--axis",
        "a=1",
        "--with",
        "b=2",
        "--axis=c=3",
        "--with=d=4",
        "--with",
        "e=5",
    ]
    joined = join_axes(given)
    assert joined == [
        "sweep",
        "x",
        "--axis",
        "a=1",
        "--axis",
        "&b=2",
        "--axis=c=3",
        "--axis",
        "&d=4",
        "--axis",
        "&e=5",
    ]
    assert parse_axes([a.removeprefix("--axis=") for a in joined[2:] if "=" in a]) == (
        {"a": "1", "b": "2"},
        {"c": "3", "d": "4", "e": "5"},
    )
    assert join_axes(["run", "x", "--with", "y"]) == ["run", "x", "--with", "y"]


def test_a_file_and_what_is_typed_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "cats.yaml"
    path.write_text(
        "preset: text_to_image\nvalues: {prompt: a cat, steps: 3}\naxes: {cfg: 1-3}\ncarry: true\n"
    )
    settings = load_settings({}, {})
    task = parse_sweep_call(settings, SweepCall(str(path), ("steps=4",), (), False))
    assert task.definition.values == {"prompt": "a cat", "steps": "4"} and not task.definition.carry
    assert task.definition.axes == ({"cfg": "1-3"},) and task.root == tmp_path
    task = parse_sweep_call(settings, SweepCall(str(path), (), ("steps=1-2",)))
    assert task.definition.axes == ({"steps": "1-2"},) and task.definition.carry
    with pytest.raises(SettingsError, match="leave out everything else"):
        parse_sweep_call(settings, SweepCall(None, (), (), True, Path("x"), Path("y")))


@pytest.mark.process
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_it_to_be_gone_on_with(tmp_path: Path, kind: signal.Signals) -> None:
    """What runs and what waits at the server is cancelled; nobody else's prompt is."""
    gate = Gate()
    with DemoServer(DemoOptions(), wait=gate.wait) as server, ComfyClient(server.url) as client:
        flags = ("--server", server.url, "seed=1", "steps=5")
        process = start(
            "sweep", "text_to_image", "--axis", "cfg=1-12", *flags, "--out", "grid", cwd=tmp_path
        )
        while len(list(tmp_path.glob("grid/pictures/*.png"))) < 3:
            assert process.poll() is None, finish(process)
        gate.hold()
        gate.await_held()
        await_posted(client, 2)
        neighbour = client.queue_prompt(EMPTY, client_id="neighbour").prompt_id
        process.send_signal(kind)
        answer = finish(process)
        assert (answer.code, answer.out) == (130, "")
        assert answer.err == "Go on with: comfygradio sweep --resume grid\nInterrupted.\n"
        await_posted(client, 0)  # and the gate is closed: nothing of the sweep could have ended
        gate.release()
        history = client.history(neighbour)
        assert history and history.status == "success"
        server.executions["SaveImage"] -= 1  # the neighbour's
        rest = finish(start("sweep", "--resume", "grid", "--server", server.url, cwd=tmp_path))
        assert (rest.code, rest.err) == (0, "") and len(rest.out.splitlines()) == 12
        assert (
            server.executions["SaveImage"] == 12
            and len(list(tmp_path.glob("grid/pictures/*.png"))) == 12
        )


EMPTY = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 32, "height": 16, "batch_size": 1, "color": 7},
    },
    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
}


def await_posted(client: ComfyClient, count: int) -> None:
    """Wait until a server has so many prompts."""
    deadline = time.monotonic() + HANG_SECONDS
    while client.queue_remaining() != count:
        assert time.monotonic() < deadline, f"never {count} prompts"


@pytest.mark.process
def test_an_interrupt_leaves_a_server_alone_that_does_not_answer(tmp_path: Path) -> None:
    gate = Gate()
    gate.hold()
    with DemoServer(DemoOptions(), wait=gate.wait) as server:
        flags = ("--server", server.url, "steps=5", "--out", "grid")
        process = start("sweep", "text_to_image", "--axis", "cfg=1-3", *flags, cwd=tmp_path)
        gate.await_held()
        server.kill()
        process.send_signal(signal.SIGINT)
        answer = finish(process)
    assert answer.code == 130 and "Traceback" not in answer.err
    assert answer.err.endswith("Go on with: comfygradio sweep --resume grid\nInterrupted.\n")


@pytest.mark.process
def test_a_terminal_sees_how_many_are_done(tmp_path: Path, demo: DemoServer) -> None:
    leader, follower = pty.openpty()
    environ = {"TERM": "xterm-256color", "COLUMNS": "100"}
    flags = ("--axis", "steps=2-5", "--server", demo.url, "--out", "grid")
    process = start("sweep", "text_to_image", *flags, cwd=tmp_path, stderr=follower, env=environ)
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], HANG_SECONDS)[0]:
        try:
            shown += os.read(leader, 65536)
        except OSError:  # how Linux says that the other end was closed
            break
    os.close(leader)
    answer = finish(process)
    assert answer.code == 0 and len(answer.out.splitlines()) == 4
    assert b"/4" in shown and b"Traceback" not in shown
