"""Words and numbers for the Status page: how servers are, and who waits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend, BackendStatus

Json = dict[str, Any]


def describe_server(status: BackendStatus, lacks: list[str]) -> Json:
    """One server as JSON; memory is in bytes. `lacks` says what it is not used for."""
    stats = status.stats or {}
    system = stats.get("system")
    version = ""
    if isinstance(system, dict):
        version = str(system.get("comfyui_version") or "")
    return {
        "url": status.url,
        "up": status.is_up,
        "trouble": status.trouble,
        "version": version,
        "devices": list(_list_devices(stats)),
        "ours": status.running,
        "remaining": status.remaining,
        "lacks": lacks,
    }


def list_unusable_forms(backend: Backend, forms: Mapping[str, Form]) -> list[str]:
    """A sentence for each preset that a server is not used for, whatever people choose
    in the form.
    """
    sentences = []
    for form in forms.values():
        if form.problems:
            continue
        reason = backend.explain_rejection(_drop_choices(form))
        if reason:
            sentences.append(f"Not used for {form.title}: {reason}")
    return sentences


def _drop_choices(form: Form) -> dict[str, Any]:
    """The stored workflow without the inputs that fields fill."""
    chosen = set[tuple[str, str]]()
    for field in form.fields.values():
        chosen.update((slot.node_id, slot.input) for slot in field.all_slots)
    graph: dict[str, Any] = form.workflow.to_json()
    for node_id, node in graph.items():
        node["inputs"] = {
            name: value for name, value in node["inputs"].items() if (node_id, name) not in chosen
        }
    return graph


def describe_waiting(waiting: Mapping[str, int], salt: str) -> list[Json]:
    """Who has how many jobs waiting.

    Ids of anonymous people are secrets of theirs; they get a name made from them.
    """
    totals: Counter[str] = Counter()
    for owner, count in waiting.items():
        totals[_name_person(owner, salt)] += count
    return [{"who": who, "count": count} for who, count in totals.most_common()]


def _name_person(owner: str, salt: str) -> str:
    kind, _, name = owner.partition(":")
    if kind == "user":
        return name
    if kind == "anon":
        digest = hashlib.sha256(f"{salt}{owner}".encode()).hexdigest()
        return f"Guest {digest[:4]}"
    return "Programs" if kind == "api" else "Commands"


def _list_devices(stats: Mapping[str, Any]) -> Iterator[Json]:
    """The devices whose memory a server tells; what it says may be of any shape."""
    devices = stats.get("devices")
    if not isinstance(devices, list):
        return
    for device in devices:
        if not isinstance(device, dict):
            continue
        total = device.get("vram_total")
        free = device.get("vram_free")
        if isinstance(total, int | float) and isinstance(free, int | float) and total > 0:
            name = str(device.get("name") or device.get("type") or "Device")
            short = name.split(" : ")[0]
            yield {"name": short, "used": max(total - free, 0), "total": total}
