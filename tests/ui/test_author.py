"""The author's page without a browser: drafts as rows and back, problems of the text, and what is
saved.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio.utils import get_upload_folder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import comfygradio
from comfygradio.binding.preset import load_preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Workflow, load_workflow
from comfygradio.demo import DemoServer
from comfygradio.drafting.draft import Draft, draft_preset
from comfygradio.drafting.preset_folder import save_preset
from comfygradio.errors import PresetError
from comfygradio.service.service import Service
from comfygradio.settings import load_settings, shipped_presets
from comfygradio.ui.author.author_api import AuthorApi, find_writable_folder
from comfygradio.ui.author.draft_rows import describe_draft, parse_edited_draft
from comfygradio.ui.author.form_preview import parse_preset_text, preview_preset
from tests.ui.running import run_app
from tests.ui_workflow import (
    PACK,
    UI_WORKFLOW,
    load_ui_workflow,
    make_foreign_workflow,
    save_ui_picture,
)

WORKFLOW = shipped_presets() / "text_to_image.json"
BIG_SEED = 2**64 - 3


@pytest.fixture(scope="module")
def client(demo: DemoServer) -> Iterator[ComfyClient]:
    client = ComfyClient(demo.url)
    yield client
    client.close()


@pytest.fixture
def service(client: ComfyClient, tmp_path: Path) -> Service:
    """Make a service with an empty folder of presets."""
    (tmp_path / "presets").mkdir()
    return Service(client, [tmp_path / "presets"], tmp_path / "outputs")


@pytest.fixture
def author(service: Service) -> AuthorApi:
    return AuthorApi(service)


@pytest.fixture(scope="module")
def draft(client: ComfyClient) -> Draft:
    graph = load_workflow(WORKFLOW).to_json()
    graph["3"]["inputs"]["seed"] = BIG_SEED
    workflow = Workflow.from_json(graph)
    return draft_preset(workflow, client.object_info(*workflow.class_types))


@pytest.fixture
def edited(draft: Draft, client: ComfyClient) -> dict[str, Any]:
    """Make the page's value for the draft, as a browser sends it back."""
    value = describe_draft(draft, "mine", client.object_info(*draft.workflow.class_types))
    return dict(json.loads(json.dumps(value)))


def row(edited: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in edited["rows"] if one["name"] == name)


def upload(path: Path) -> dict[str, str]:
    """Make what Gradio passes to a function for an uploaded file."""
    folder = Path(get_upload_folder()) / "test-author"
    folder.mkdir(parents=True, exist_ok=True)
    return {"path": str(shutil.copy(path, folder / path.name))}


def save(
    author: AuthorApi, edited: dict[str, Any], text: str = "", overwrite: bool = False
) -> dict[str, Any]:
    return author.save(text, edited, overwrite)


def test_rows_that_nobody_touched_give_the_drafted_form(
    draft: Draft, edited: dict[str, Any]
) -> None:
    back = parse_edited_draft(edited)
    assert back.draft.to_file("mine.json") == draft.to_file("mine.json")
    assert back.draft.workflow.to_json() == draft.workflow.to_json()
    assert f"seed: {BIG_SEED}" in back.text
    assert [one["name"] for one in edited["rows"] if one["on"]] == [
        field.name for field in draft.fields
    ]
    assert [one["name"] for one in edited["rows"] if not one["on"]] == [
        field.name for field in draft.left_out
    ]


def test_what_was_ticked_named_and_moved_is_in_the_file(edited: dict[str, Any]) -> None:
    row(edited, "sampler")["on"] = False
    row(edited, "denoise")["on"] = True
    row(edited, "prompt").update(name="words", label="Say it")
    row(edited, "seed").update(advanced=True)
    row(edited, "steps").update(widget="number")
    edited["rows"].reverse()
    file = parse_edited_draft(edited).draft.to_file("mine.json")
    assert "sampler" not in file.fields and "denoise" in file.fields
    assert file.fields["words"].label == "Say it"
    assert file.fields["seed"].advanced and file.fields["steps"].widget == "number"
    advanced = [line.advanced for line in file.fields.values()]
    assert advanced == sorted(advanced)
    assert next(iter(file.fields)) == "checkpoint"
    assert file.examples[0]["words"] and file.examples[0]["seed"] == BIG_SEED


def test_examples_lose_the_fields_that_are_not_ticked(edited: dict[str, Any]) -> None:
    row(edited, "prompt")["on"] = False
    assert parse_edited_draft(edited).draft.examples == ({"title": "Example", "seed": BIG_SEED},)
    row(edited, "seed")["on"] = False
    assert parse_edited_draft(edited).draft.examples == ()


def test_only_widgets_that_fit_are_offered(edited: dict[str, Any]) -> None:
    assert row(edited, "steps")["widgets"] == ["slider", "number"]
    assert row(edited, "checkpoint")["widgets"] == ["dropdown", "radio"]
    assert row(edited, "size")["widgets"] == ["size"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(["source", "name", "title", "rows", "byHand", "description", "icon"])


@pytest.mark.deep
@given(key=KEYS, value=JSON)
def test_a_page_that_sends_nonsense_gets_a_sentence(key: str, value: Any) -> None:
    source = json.dumps(
        {"workflow": {"1": {"class_type": "A"}}, "outputs": [], "examples": [], "fields": []}
    )
    whole = {
        "source": source,
        "name": "a",
        "title": "A",
        "rows": [],
        "byHand": False,
        "description": "",
        "icon": "",
    }
    try:
        parse_edited_draft({**whole, key: value})
    except PresetError as error:
        assert str(error).endswith("add the workflow again.")


@pytest.mark.deep
@given(
    field=st.sampled_from(["id", "name", "label", "widget", "widgets", "advanced", "on"]),
    value=JSON,
)
def test_a_row_of_nonsense_gets_a_sentence(field: str, value: Any) -> None:
    fields = [["a", "other", {"slot": "1.a"}, "why"]]
    source = json.dumps(
        {"workflow": {"1": {"class_type": "A"}}, "outputs": [], "examples": [], "fields": fields}
    )
    line = {
        "id": "0",
        "name": "a",
        "label": "A",
        "widget": "text",
        "widgets": ["text"],
        "advanced": False,
        "on": True,
    }
    whole = {
        "source": source,
        "name": "a",
        "title": "A",
        "byHand": False,
        "description": "",
        "icon": "",
    }
    try:
        parse_edited_draft({**whole, "rows": [{**line, field: value}]})
    except PresetError as error:
        assert str(error).endswith("add the workflow again.")


def test_problems_of_the_text_name_file_line_and_key(
    edited: dict[str, Any], client: ComfyClient
) -> None:
    workflow = parse_edited_draft(edited).draft.workflow

    def examine(text: str) -> dict[str, Any]:
        return preview_preset(text, "mine", workflow, lambda classes: client.object_info(*classes))

    head = "title: A\nworkflow: mine.json\nfields:\n"
    assert examine("title: [")["error"].startswith("mine.yaml:2: no valid YAML")
    assert examine(f"{head}  a: {{slot: 6.text, lable: A}}\n")["error"] == (
        "mine.yaml:4: fields.a: unknown key lable; did you mean label?"
    )
    assert examine("title: A\nworkflow: other.json\n")["error"] == (
        "mine.yaml:2: workflow has to be mine.json, where the workflow is stored."
    )
    found = examine(f"{head}  a: {{slot: 6.text}}\n  title: {{slot: 6.txt}}\n")
    assert found["problems"][0]["field"] == "title"
    assert found["problems"][0]["text"].startswith("mine.yaml:5: Field title: node 6")
    assert [one["name"] for one in found["form"]["fields"]] == ["a"]


def test_a_text_may_extend_a_preset_of_the_folder(
    edited: dict[str, Any], client: ComfyClient, tmp_path: Path
) -> None:
    workflow = parse_edited_draft(edited).draft.workflow

    def examine(text: str) -> dict[str, Any]:
        return preview_preset(
            text, "mine", workflow, lambda classes: client.object_info(*classes), tmp_path
        )

    base = "title: Base\nworkflow: base.json\nfields:\n  a: {slot: 6.text}\n"
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    own = "title: Own\nextends: base\nworkflow: mine.json\nfields:\n  b: {slot: 7.text}\n"
    found = examine(own)
    assert [one["name"] for one in found["form"]["fields"]] == ["a", "b"]
    assert examine(own.replace("base", "bas"))["error"] == (
        "mine.yaml:2: extends: there is no preset bas in this folder; did you mean base?"
    )
    # The text itself is not in the folder yet.
    (tmp_path / "base.yaml").write_text(f"{base}extends: mine\n", encoding="utf-8")
    assert "mine extends base extends mine, in a circle" in examine(own)["error"]


def test_a_text_of_any_length_is_refused_in_a_sentence(edited: dict[str, Any]) -> None:
    with pytest.raises(PresetError, match="longer than any preset"):
        parse_preset_text("#" * 2_000_000, "mine", parse_edited_draft(edited).draft.workflow)


def test_a_dropped_workflow_is_saved_and_opens(author: AuthorApi, service: Service) -> None:
    cleared, edited, text, view = author.read(upload(WORKFLOW))
    assert cleared is None and edited["name"] == "text_to_image" and "error" not in view
    assert view["where"] == "Goes to presets/text_to_image.yaml, with its workflow beside it."
    assert view["form"]["fields"][0]["label"] == "What do you want to see?" and not view["problems"]
    edited["name"] = "mine"
    assert save(author, edited)["saved"] == "mine"
    names = sorted(path.name for path in service.folders[0].iterdir())
    assert names == ["mine.json", "mine.yaml", "preset.schema.json"]
    assert (
        text.replace("text_to_image.json", "mine.json")
        == (service.folders[0] / "mine.yaml").read_text()
    )
    service.reload()
    assert not service.errors and not service.forms["mine"].problems


def test_a_picture_with_an_embedded_prompt_is_a_workflow_too(
    author: AuthorApi, tmp_path: Path
) -> None:
    info = PngInfo()
    info.add_text("prompt", WORKFLOW.read_text())
    Image.new("RGB", (8, 8)).save(tmp_path / "ComfyUI_00012_.png", pnginfo=info)
    _, edited, _, view = author.read(upload(tmp_path / "ComfyUI_00012_.png"))
    assert edited["name"] == "text_to_image" and not view["problems"]


@pytest.mark.parametrize("name", ["page.json", "ComfyUI_00012_.png"])
def test_a_workflow_as_comfyui_saves_it_is_kept_beside_the_preset(
    author: AuthorApi, service: Service, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if path.suffix == ".png":
        save_ui_picture(path, load_ui_workflow())
    else:
        shutil.copy(UI_WORKFLOW, path)
    _, edited, text, view = author.read(upload(path))
    assert not view["problems"] and "steps: " in text
    assert [one["name"] for one in edited["rows"] if one["on"]][:2] == ["prompt", "steps"]
    edited = json.loads(json.dumps({**edited, "name": "mine"}))
    assert save(author, edited)["saved"] == "mine"
    kept = service.folders[0] / "mine.ui.json"
    assert json.loads(kept.read_text()) == load_ui_workflow()
    service.reload()
    assert not service.errors and list(service.forms) == ["mine"]
    assert service.presets[0].ui_workflow_path == kept
    assert save(author, edited, overwrite=True)["saved"] == "mine" and kept.exists()
    _, other, _, _ = author.read(upload(WORKFLOW))
    assert save(author, {**other, "name": "mine"}, overwrite=True)["saved"] == "mine"
    assert not kept.exists()


def test_what_the_conversion_says_is_worth_knowing(author: AuthorApi, tmp_path: Path) -> None:
    data = load_ui_workflow()
    data["nodes"][0]["widgets_values"].append("of another version")
    (tmp_path / "page.json").write_text(json.dumps(data))
    _, edited, _, _ = author.read(upload(tmp_path / "page.json"))
    assert any("of another version" in note for note in edited["notes"])


def test_a_class_that_the_server_lacks_is_refused_with_its_pack(
    author: AuthorApi, tmp_path: Path
) -> None:
    (tmp_path / "page.json").write_text(json.dumps(make_foreign_workflow()))
    assert author.read(upload(tmp_path / "page.json"))[1] == {
        "error": f"page.json needs the node class SomebodysSampler (install the custom node {PACK} "
        "with ComfyUI's manager), which this ComfyUI does not have."
    }


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("ui.json", '{"nodes": [], "links": []}', "ui.json is in ComfyUI's UI format"),
        ("cut.json", '{"1": ', "The workflow cut.json is not valid JSON"),
        ("cut.png", "\x89PNG", "cut.png is not a file with ComfyUI settings"),
        ("empty.json", "{}", "empty.json is not a ComfyUI workflow: it holds no nodes."),
    ],
)
def test_files_that_are_no_workflow_get_a_sentence(
    author: AuthorApi, tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    (tmp_path / name).write_text(content)
    _, edited, text, view = author.read(upload(tmp_path / name))
    assert edited["error"].startswith(sentence) or f" {sentence}" in edited["error"]
    assert (text, view) == ("", {})


def test_a_workflow_beyond_bounds_is_left_to_the_command(author: AuthorApi, tmp_path: Path) -> None:
    graph = {str(number): {"class_type": "KSampler", "inputs": {}} for number in range(1001)}
    (tmp_path / "huge.json").write_text(json.dumps(graph))
    assert "comfygradio new" in author.read(upload(tmp_path / "huge.json"))[1]["error"]


def test_a_file_that_was_never_uploaded_is_not_read(author: AuthorApi) -> None:
    assert author.read({"path": str(WORKFLOW)})[1] == {
        "error": "This file did not arrive; please add it again."
    }


def test_text_by_hand_counts_until_the_list_is_used_again(
    author: AuthorApi, edited: dict[str, Any], service: Service
) -> None:
    text = "title: By hand\nworkflow: mine.json\nfields:\n  a: {slot: 6.text}  # mine\n"
    aside, view = author.write(text, edited)
    assert aside["byHand"] and view["form"]["title"] == "By hand"
    assert save(author, aside, text)["saved"] == "mine"
    assert (service.folders[0] / "mine.yaml").read_text() == text
    assert save(author, edited, text, overwrite=True)["saved"] == "mine"
    assert "By hand" not in (service.folders[0] / "mine.yaml").read_text()


def test_a_preset_is_overwritten_only_when_that_is_ticked(
    author: AuthorApi, edited: dict[str, Any], service: Service
) -> None:
    assert save(author, edited)["saved"] == "mine"
    edited["title"] = "Second"
    view = save(author, edited)
    assert (
        view["taken"]
        and view["refused"] == "mine.yaml exists already; choose another name, or overwrite it."
    )
    assert load_preset(service.folders[0] / "mine.yaml").title != "Second"
    assert save(author, edited, overwrite=True)["saved"] == "mine"
    assert load_preset(service.folders[0] / "mine.yaml").title == "Second"


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "Upper", "1st", "a.b", "x" * 200, "a\n", "con\0"]
)
def test_names_that_lead_elsewhere_are_refused(
    author: AuthorApi, edited: dict[str, Any], service: Service, tmp_path: Path, name: str
) -> None:
    edited["name"] = name
    before = sorted(tmp_path.rglob("*"))
    view = save(author, edited)
    if name.strip() != "a":
        assert "small letters" in view["refused"] and view["error"] == view["refused"]
        assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_save_leaves_nothing_half(tmp_path: Path, edited: dict[str, Any]) -> None:
    draft = parse_edited_draft(edited)
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(PresetError, match=r"mine\.yaml cannot be written"):
        save_preset(tmp_path, "mine", draft.text, draft.draft.workflow, overwrite=True)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_a_name_of_another_folder_is_refused(
    client: ComfyClient, tmp_path: Path, edited: dict[str, Any]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    service = Service(client, [own, shipped_presets()], tmp_path / "outputs")
    edited["name"] = "upscale"
    assert "in another folder" in save(AuthorApi(service), edited)["refused"]
    assert not list(own.iterdir())


def test_the_programs_own_folder_is_not_written_to(tmp_path: Path) -> None:
    package = Path(comfygradio.__file__).parent
    assert find_writable_folder([package / "presets", tmp_path]) == tmp_path
    assert find_writable_folder([package / "presets"]) is None


def test_an_author_without_a_folder_is_told_so(
    client: ComfyClient, tmp_path: Path, edited: dict[str, Any]
) -> None:
    author = AuthorApi(Service(client, [], tmp_path))
    view = author.edit(edited)[1]
    assert not view["canSave"] and "--presets" in view["where"]
    assert "--presets" in save(author, edited)["refused"]


def test_the_flag_and_its_variable() -> None:
    assert not load_settings({}).author
    assert load_settings({"COMFYGRADIO_AUTHOR": "1"}).author
    assert load_settings({}, {"author": True}).author


def list_ids(config: dict[str, Any]) -> set[str]:
    return {str(one["props"].get("elem_id")) for one in config["components"]}


@pytest.mark.app
def test_the_page_is_there_only_for_authors(demo: DemoServer, tmp_path: Path) -> None:
    with run_app(demo.url, tmp_path / "outputs") as plain:
        without = httpx.get(f"{plain.url}config").json()
    with run_app(demo.url, tmp_path / "outputs", author=True) as running:
        config = httpx.get(f"{running.url}config").json()
    assert not {"cg-author", "cg-desk"} & list_ids(without)
    assert {"cg-author", "cg-desk"} <= list_ids(config)
    assert len(config["dependencies"]) == len(without["dependencies"]) + 4
    assert all(one["api_visibility"] == "private" for one in config["dependencies"][:4])


@pytest.mark.app
def test_the_page_stands_behind_the_login(demo: DemoServer, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:secret\n")
    with run_app(
        demo.url, tmp_path / "outputs", auth=users, author=True, operators=("ada",)
    ) as running:
        for number in range(4):
            call = {"fn_index": number, "data": [{}], "session_hash": "x"}
            assert httpx.post(f"{running.url}gradio_api/run/predict", json=call).status_code == 401


@pytest.mark.app
def test_functions_keep_their_numbers_when_presets_change(demo: DemoServer, tmp_path: Path) -> None:
    presets = tmp_path / "presets"
    shutil.copytree(shipped_presets(), presets)
    with run_app(demo.url, tmp_path / "outputs", presets, author=True) as running:
        before = [fn.name for fn in list(running.app.blocks.fns.values())[:4]]
        (presets / "upscale.yaml").unlink()
        running.app.service.reload()
        after = [fn.name for fn in list(running.app.blocks.fns.values())[:4]]
        assert running.app.revision >= 1
    assert before == after == ["read", "edit", "write", "save"]
