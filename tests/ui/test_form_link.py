"""Links that carry values of a form: what is written into them, and what is taken out of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoServer
from comfygradio.errors import LimitReached
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.form_link import MAX_LINK_LENGTH, read_link, write_link
from comfygradio.ui.form.form_tools import FormTools
from comfygradio.ui.form.form_values import find_changed, list_defaults
from comfygradio.ui.identity.page_session import PageSessions

ADA = "user:ada"


@pytest.fixture(scope="module")
def service(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Make a service with the shipped presets."""
    client = ComfyClient(demo.url)
    service = Service(client, [shipped_presets()], tmp_path_factory.mktemp("outputs"))
    assert service.connect()
    yield service
    service.close()
    client.close()


@pytest.fixture
def form(service: Service) -> Form:
    return service.forms["text_to_image"]


@pytest.fixture
def tools(service: Service) -> FormTools:
    return FormTools(service, PageSessions())


def change(form: Form, **values: Any) -> dict[str, Any]:
    """What a page sends of a form in which these values were changed."""
    return {**list_defaults(form), **values}


def test_a_link_carries_what_differs_from_the_defaults(form: Form) -> None:
    sent = change(form, prompt="two foxes & a {red|blue} hen", seed="18446744073709551615", cfg=3)
    query, left = write_link(form, find_changed(form, sent).values)
    assert dict(parse_qsl(query)) == {
        "preset": "text_to_image",
        "prompt": "two foxes & a {red|blue} hen",
        "seed": "18446744073709551615",
        "cfg": "3",
    }
    assert left == []
    linked = read_link(form, dict(parse_qsl(query)))
    assert linked.values == {
        "prompt": "two foxes & a {red|blue} hen",
        "seed": "18446744073709551615",
        "cfg": 3,
    }
    assert not linked.refused


def test_a_form_that_nobody_touched_gives_a_bare_link(form: Form) -> None:
    assert find_changed(form, list_defaults(form)).values == {}
    assert write_link(form, {}) == ("preset=text_to_image", [])


def test_what_a_form_would_not_take_is_told_and_left_out(form: Form) -> None:
    linked = read_link(form, {"steps": "9000", "promt": "a fox", "cfg": "4"})
    assert linked.values == {"cfg": 4}
    assert "from 1 to 60" in linked.refused["steps"]
    assert "did you mean prompt" in linked.refused["promt"]


def test_a_link_carries_no_files(service: Service) -> None:
    form = service.forms["image_to_image"]
    linked = read_link(form, {"image": "/etc/passwd", "strength": "0.5"})
    assert linked.values == {"strength": 0.5}
    assert list(linked.refused) == ["image"]


def test_what_others_add_to_addresses_is_no_value(form: Form) -> None:
    foreign = {"preset": "text_to_image", "history": "1", "__theme": "dark", "utm_source": "x"}
    linked = read_link(form, foreign)
    assert not linked.values and not linked.refused


def test_a_link_has_a_length(form: Form) -> None:
    with pytest.raises(LimitReached):
        write_link(form, {"prompt": "fox " * MAX_LINK_LENGTH})
    with pytest.raises(LimitReached):
        read_link(form, {"prompt": "x" * (MAX_LINK_LENGTH + 1)})


@pytest.mark.parametrize(
    "text", ["[" * 2_000, '[{"name": 1}]', "[1e999]", "NaN", "\ud800", "[null]", "{}", "0" * 200]
)
def test_odd_texts_get_sentences(form: Form, text: str) -> None:
    for name in form.fields:
        linked = read_link(form, {name: text})
        assert len(linked.values) + len(linked.refused) == 1


def test_the_page_gets_the_values_and_what_was_wrong(tools: FormTools) -> None:
    link = {"prompt": "a fox", "steps": "0", "__theme": "dark"}
    answer = tools.arrive(ADA, {"preset": "text_to_image", "link": link})
    assert answer["values"] == {"prompt": "a fox"}
    assert answer["taken"] == ["prompt", "steps"]
    (line,) = answer["problem"]["lines"]
    assert line.startswith("Steps: 0 is not possible")
    assert answer["problem"]["fields"][0][0] == "cg-text_to_image-steps"


def test_what_a_copied_link_lacks_is_named(tools: FormTools, service: Service) -> None:
    form = service.forms["image_to_image"]
    sent = change(form, image={"path": "/tmp/x.png"}, prompt="a fox", steps="many")
    answer = tools.link(ADA, {"preset": "image_to_image", "values": sent})
    assert answer["query"] == "preset=image_to_image&prompt=a+fox"
    assert answer["left"] == ["Steps", "Your picture"]


def test_what_the_tab_had_not_sent_comes_over_what_is_kept(tools: FormTools) -> None:
    owner = "user:tab"
    asked = {"preset": "text_to_image"}
    tools.keep(owner, {**asked, "values": {"prompt": "a fox", "size": "768x512"}})
    own = {"size": "512x512", "steps": "many", "nothing": 1}
    answer = tools.arrive(owner, {**asked, "custom": own, "link": {"cfg": "3"}})
    assert answer["values"] == {"prompt": "a fox", "size": "512x512", "cfg": 3}
    assert answer["left"] == ["Steps", "nothing"]
    # A form that has been filled already stays as it is.
    filled = tools.arrive(owner, {**asked, "custom": own, "present": {"prompt": "from History"}})
    assert filled["values"] == {}


def test_settings_that_were_deleted_are_saved_again(tools: FormTools) -> None:
    owner = "user:undo"
    asked = {"preset": "text_to_image", "name": "Fox"}
    tools.save(owner, {**asked, "values": {"prompt": "a fox"}})
    assert tools.delete(ADA, asked)["values"] is None
    answer = tools.delete(owner, asked)
    assert answer == {"names": [], "values": {"prompt": "a fox"}}
    assert tools.save(owner, {**asked, "values": answer["values"]})["names"] == ["Fox"]
    assert tools.choose(owner, asked)["values"]["prompt"] == "a fox"


def test_reset_gives_every_field_its_default(tools: FormTools, service: Service) -> None:
    answer = tools.reset(ADA, {"preset": "image_to_image"})
    form = service.forms["image_to_image"]
    assert answer["values"].keys() == form.fields.keys()
    assert answer["values"]["image"] is None
    assert answer["values"]["strength"] == 0.6
