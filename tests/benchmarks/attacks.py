"""What an attacker sends: `python -m tests.benchmarks.attacks NAME URL SECONDS`.

A process of its own, so that its work is not taken for the app's. It prints a line when it begins
to send; every attack ends SECONDS later. What the app answers is counted and printed as JSON, and
never an error here.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.benchmarks.png import encode_plain, pack_text

SIDE = 13_000
HONEST_SIDE = 7000
"""Pixels of a side of a picture of 49 megapixels, which anybody may send."""

LARGE_BODY = 150_000_000


@dataclass
class Attacker:
    """Somebody who calls an app as its page and as programs do, until the time is over."""

    url: str
    seconds: float
    answers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds
        self.config: dict[str, Any] = httpx.get(f"{self.url}/config", timeout=60).json()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.1, self.ends - time.monotonic())

    def find_event(self, name: str) -> int:
        """The number of an event by the name of its function."""
        events = self.config["dependencies"]
        return int(next(one["id"] for one in events if one["api_name"] == name))

    def find_component(self, kind: str, elem_id: str = "") -> int:
        """The number of a component by its kind, or by its id in the page."""
        for one in self.config["components"]:
            if one["props"].get("elem_id") == elem_id if elem_id else one["type"] == kind:
                return int(one["id"])
        raise LookupError(elem_id or kind)

    def send(self, way: str, **options: Any) -> httpx.Response | None:
        """One POST, whatever comes of it."""
        try:
            answer = httpx.post(f"{self.url}/gradio_api/{way}", timeout=self.left, **options)
        except (httpx.HTTPError, OSError) as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        return answer

    def upload(self, content: bytes, name: str = "a.png") -> dict[str, Any]:
        """An uploaded file as a value; empty where it was not taken."""
        answer = self.send("upload", files={"files": (name, content)})
        if answer is None or answer.status_code != 200:
            return {}
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def call(self, name: str, **values: Any) -> None:
        """A program's call of an endpoint, listened to until its end."""
        answer = self.send(f"call/v2/{name}", json=values)
        if answer is None or answer.status_code != 200:
            return
        way = f"{self.url}/gradio_api/call/{name}/{answer.json()['event_id']}"
        try:
            with httpx.stream("GET", way, timeout=self.left) as events:
                for line in events.iter_lines():
                    if time.monotonic() > self.ends:
                        return
                    if line.startswith("event:"):
                        self.answers[line] += 1
        except (httpx.HTTPError, OSError) as error:
            self.answers[type(error).__name__] += 1

    def predict(self, name: str, data: list[Any], event: Any = None) -> Any:
        """An event of the page; its answer, or None."""
        number = self.find_event(name)
        asked = {"data": data, "event_data": event, "fn_index": number, "session_hash": "attack"}
        answer = self.send("run/predict", json=asked)
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def repeat(self, attack: Callable[[], None], people: int = 1) -> None:
        """The same again and again, by so many at once, until the time is over, which begins
        only now.
        """
        print("ready", flush=True)
        self.ends = time.monotonic() + self.seconds

        def go_on() -> None:
            while time.monotonic() < self.ends:
                attack()

        with ThreadPoolExecutor(people) as pool:
            for one in [pool.submit(go_on) for _ in range(people)]:
                one.result()


def send_size(attacker: Attacker) -> None:
    """H3: a size with 40,000 spaces."""
    text = "1" + " " * 40_000 + "y"
    attacker.repeat(lambda: attacker.call("text_to_image", size=text))


def send_axis(attacker: Attacker) -> None:
    """H3: the values of an axis with 40,000 spaces."""
    text = "1" + " " * 40_000 + "y"
    attacker.repeat(lambda: attacker.call("text_to_image_sweep", axes={"size": text}, values={}))


def send_brackets(attacker: Attacker) -> None:
    """H3: 100,000 brackets in the place of a list."""
    text = "[" * 100_000
    attacker.repeat(lambda: attacker.call("text_to_image_sweep", axes={"sampler": text}, values={}))


def send_layers(attacker: Attacker) -> None:
    """H4: a mask whose layer has 169 megapixels."""
    layer = encode_plain(SIDE, SIDE, 4)
    background = encode_plain(512, 512, 3)

    def send() -> None:
        files = [attacker.upload(layer)]
        picture = {"background": attacker.upload(background), "layers": files, "composite": None}
        attacker.call("inpaint", image=picture)

    attacker.repeat(send)


def send_texts(attacker: Attacker) -> None:
    """H4: 2,000 packed texts of 1 MB in a picture that settings are taken from."""
    packed = pack_text(1_000_000)
    picture = encode_plain(8, 8, 3, [b"t%d\0\0" % number + packed for number in range(2000)])
    events = attacker.config["dependencies"]
    inputs = next(one["inputs"] for one in events if one["api_name"] == "look")

    def send() -> None:
        attacker.predict("look", [attacker.upload(picture), *[None] * (len(inputs) - 1)])

    attacker.repeat(send)


def send_honest_mask(attacker: Attacker) -> None:
    """Honest: a mask of 49 megapixels."""
    content = encode_plain(HONEST_SIDE, HONEST_SIDE, 4)

    def send() -> None:
        layers = [attacker.upload(content)]
        picture = {"background": attacker.upload(content), "layers": layers, "composite": None}
        attacker.call("inpaint", image=picture)

    attacker.repeat(send)


def send_honest_pictures(attacker: Attacker) -> None:
    """Honest: twelve people send pictures of 49 megapixels at once."""
    content = encode_plain(HONEST_SIDE, HONEST_SIDE, 3)
    attacker.repeat(
        lambda: attacker.call("image_to_image", image=attacker.upload(content), steps=1), 12
    )


def ask_for_results(attacker: Attacker) -> None:
    """H4, M6: jobs whose results come from a hostile ComfyUI."""
    attacker.repeat(lambda: attacker.call("text_to_image", prompt=secrets.token_hex(8), steps=1), 4)


def send_body(attacker: Attacker) -> None:
    """M7: 150 MB of JSON for an event."""
    body = b'{"data": ["' + b"x" * LARGE_BODY + b'"], "fn_index": 0}'
    head = {"content-type": "application/json"}
    attacker.repeat(lambda: keep_quiet(attacker.send("run/predict", content=body, headers=head)))


def send_blob(attacker: Attacker) -> None:
    """M8: a layer of the mask editor with the number 50,000,000."""
    editor = attacker.find_component("imageeditor")

    def send() -> None:
        form = {
            "component_id": str(editor),
            "session_hash": "attack",
            "fn_name": "accept_blobs",
            "type": "layer",
            "index": "50000000",
            "id": secrets.token_hex(4),
        }
        attacker.send("component_server", data=form, files={"file": ("a", b"x")})
        threading.Event().wait(0.3)

    attacker.repeat(send)


def send_plans(attacker: Attacker) -> None:
    """M9: ten people plan sweeps of 10,000 points, each of several pages."""
    view = attacker.find_component("html", "cg-sweep")

    def send() -> None:
        person = secrets.token_hex(16)
        entered = attacker.predict("enter", [], {"person": person})
        if entered is None:
            return
        axes = [[{"field": "seed", "text": "1-200"}], [{"field": "steps", "text": "1-50"}]]
        sweep = {"preset": "text_to_image", "values": {"prompt": "x"}, "axes": axes}
        data = [entered["data"][0]["access"], {"definition": sweep}]
        call = {"data": data, "component_id": view, "fn_name": "study", "session_hash": "attack"}
        answer = attacker.send("component_server", json=call)
        if answer is not None and answer.status_code == 200:
            attacker.answers["planned" if answer.json().get("ready") else "not planned"] += 1

    attacker.repeat(send, 10)


def keep_quiet(_: object) -> None:
    """For what only matters by being asked."""


ATTACKS: dict[str, Callable[[Attacker], None]] = {
    "size": send_size,
    "axis": send_axis,
    "brackets": send_brackets,
    "layers": send_layers,
    "texts": send_texts,
    "honest mask": send_honest_mask,
    "honest pictures": send_honest_pictures,
    "large result": ask_for_results,
    "dripped result": ask_for_results,
    "endless result": ask_for_results,
    "body": send_body,
    "blob": send_blob,
    "plans": send_plans,
}


def main() -> None:
    """Attack, and print what was answered how often."""
    name, url, seconds = sys.argv[1:]
    attacker = Attacker(url.rstrip("/"), float(seconds))
    ATTACKS[name](attacker)
    print(json.dumps(attacker.answers), flush=True)


if __name__ == "__main__":
    main()
