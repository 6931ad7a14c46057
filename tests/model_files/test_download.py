"""The commands that download models, in a real shell, with a curl that only writes a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from comfygradio.forms.model_entry import ModelEntry
from comfygradio.model_files.download import write_command, write_script
from tests.clocks import PROCESS_SECONDS

from .entries import ONE, make_model

pytestmark = pytest.mark.process

CONTENT = "weights"
SHA256SUM = shutil.which("sha256sum")
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()

CURL = f"""#!/bin/sh
printf '%s\\n' "$@" >> "$CALLS"
while [ "$1" != --output ]; do shift; done
printf %s {CONTENT} > "$2"
exit "${{CURL_CODE:-0}}"
"""

HOSTILE = (
    "a b.safetensors",
    "$(touch broken).pt",
    "`touch broken`.pt",
    "a;touch broken;.pt",
    "a'; touch broken; '.pt",
    'a"; touch broken; ".pt',
    "a && touch broken &.pt",
    "-rf",
    "~",
    "!!.pt",
    "*?[a].pt",
    "#a.pt",
    "ä ☃.pt",
    "%s%n.pt",
    "sub/folder's/a.pt",
)


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    """ComfyUI's folder, with the curl of these tests beside it."""
    if SHA256SUM is None:
        pytest.skip("sha256sum is not installed")
    folder = tmp_path / "comfy"
    (folder / "models").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    curl = programs / "curl"
    curl.write_text(CURL)
    curl.chmod(0o755)
    return folder


def run_shell(
    folder: Path, text: str, curl_code: int = 0, more_programs: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    programs = folder.parent / "bin"
    environ = {
        "PATH": f"{programs}{os.pathsep}{more_programs}",
        "CALLS": str(folder.parent / "calls"),
        "CURL_CODE": str(curl_code),
    }
    return subprocess.run(
        ["/bin/sh", "-c", text],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )


def list_files(folder: Path) -> list[str]:
    """The files below a folder, as POSIX paths."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in files)


def test_a_model_gets_its_name_when_it_is_whole(comfy: Path) -> None:
    done = run_shell(comfy, write_command(make_model(hash=SHA256)))
    assert (done.returncode, done.stderr) == (0, "")
    assert list_files(comfy) == ["models/checkpoints/a.safetensors"]
    assert (comfy.parent / "calls").read_text().splitlines() == [
        "--fail",
        "--location",
        "--output",
        "models/checkpoints/a.safetensors.part",
        "https://example.org/a",
    ]


def test_the_command_is_readable() -> None:
    assert write_command(make_model()) == (
        "mkdir -p models/checkpoints && "
        "curl --fail --location --output models/checkpoints/a.safetensors.part "
        "https://example.org/a && "
        "mv models/checkpoints/a.safetensors.part models/checkpoints/a.safetensors"
    )


def test_an_interrupted_download_leaves_no_file_under_the_final_name(comfy: Path) -> None:
    assert run_shell(comfy, write_command(make_model()), curl_code=18).returncode == 18
    assert list_files(comfy) == ["models/checkpoints/a.safetensors.part"]
    assert run_shell(comfy, write_command(make_model())).returncode == 0
    assert list_files(comfy) == ["models/checkpoints/a.safetensors"]


def test_a_file_with_another_hash_does_not_get_the_name(comfy: Path) -> None:
    done = run_shell(comfy, write_command(make_model(hash=ONE)))
    assert done.returncode != 0 and "FAILED" in done.stdout
    assert list_files(comfy) == ["models/checkpoints/a.safetensors.part"]


def test_a_hash_is_checked_without_sha256sum(comfy: Path) -> None:
    """As on macOS, which has shasum."""
    programs = comfy.parent / "bin"
    for name in ("mkdir", "mv", "sh"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    shasum = programs / "shasum"
    shasum.write_text(f'#!/bin/sh\n[ "$1 $2" = "-a 256" ] && shift 2 && {SHA256SUM} "$@"\n')
    shasum.chmod(0o755)
    for digits, files in ((ONE, "a.safetensors.part"), (SHA256, "a.safetensors")):
        run_shell(comfy, write_command(make_model(hash=digits)), more_programs="")
        assert list_files(comfy) == [f"models/checkpoints/{files}"]


def test_a_hash_that_no_usual_program_checks_is_no_obstacle(comfy: Path) -> None:
    done = run_shell(comfy, write_command(make_model(hash=ONE, hash_type="BLAKE3")))
    assert done.returncode == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_names(comfy: Path, name: str) -> None:
    models = [make_model(name, hash=SHA256), make_model("a.pt", folder=name)]
    done = run_shell(comfy, write_script(models))
    assert (done.returncode, done.stderr) == (0, "")
    assert list_files(comfy) == sorted([f"models/checkpoints/{name}", f"models/{name}/a.pt"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/$(touch${IFS}broken)",
        "https://example.org/';touch${IFS}broken;'",
        "https://example.org/a?b=c&d=e#f",
        "https://example.org/`touch`",
    ],
)
def test_hostile_addresses_are_only_addresses(comfy: Path, url: str) -> None:
    done = run_shell(comfy, write_script([make_model(url=url)]))
    assert (done.returncode, done.stderr) == (0, "")
    assert list_files(comfy) == ["models/checkpoints/a.safetensors"]
    assert (comfy.parent / "calls").read_text().splitlines()[-1] == url


@pytest.mark.parametrize("url", ["https://example.org/[1-9]", "https://example.org/{a,b}"])
def test_brackets_are_no_list_of_addresses(url: str) -> None:
    assert "curl --globoff --fail --location --output " in write_command(make_model(url=url))


def test_a_script_ends_at_the_first_failure(comfy: Path) -> None:
    models = [make_model("a.pt", hash=ONE), make_model("b.pt")]
    assert run_shell(comfy, write_script(models)).returncode == 1
    assert list_files(comfy) == ["models/checkpoints/a.pt.part"]


def test_a_script_refuses_any_other_folder(comfy: Path) -> None:
    (comfy / "models").rmdir()
    done = run_shell(comfy, write_script([make_model()]))
    assert done.returncode == 1 and "There is no folder models here" in done.stderr
    assert list_files(comfy) == []


def test_no_name_leads_out_of_the_folder() -> None:
    """Nothing is written for such a name: there is no such model."""
    with pytest.raises(ValueError, match="inside of ComfyUI's folder"):
        ModelEntry(name="../../a.pt", folder="vae", url="https://example.org/a")
