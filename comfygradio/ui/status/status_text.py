"""Describes servers, and who has jobs waiting, as JSON for the Servers page."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend, BackendStatus

Json = dict[str, Any]


def describe_server(status: BackendStatus, lacks: list[str]) -> Json:
    """Describe a server; memory is in bytes, and `lacks` are sentences about unusable forms."""
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
    """List a sentence for each preset that a server cannot run, whatever its form holds."""
    sentences = []
    for form in forms.values():
        if form.problems:
            continue
        graph = _drop_filled_inputs(form)
        reason = backend.explain_rejection(graph)
        if reason:
            sentences.append(f"Not used for {form.title}: {reason}")
    return sentences


def _drop_filled_inputs(form: Form) -> dict[str, Any]:
    """Return the stored workflow without the inputs that fields fill."""
    graph: dict[str, Any] = form.workflow.to_json()
    for field in form.fields.values():
        for slot in field.all_slots:
            if slot.node_id in graph:
                graph[slot.node_id]["inputs"].pop(slot.input, None)
    return graph


def describe_waiting(waiting: Mapping[str, int], salt: str) -> list[Json]:
    """List who has how many jobs waiting, most jobs first.

    The ids of anonymous people are secrets, so a name is made from them.
    """
    totals: Counter[str] = Counter()
    for owner, count in waiting.items():
        name = _name_person(owner, salt)
        totals[name] += count
    described = []
    for name, total in totals.most_common():
        described.append({"who": name, "count": total})
    return described


def _name_person(owner: str, salt: str) -> str:
    kind, _, name = owner.partition(":")
    if kind == "user":
        return name
    if kind == "anon":
        digest = hashlib.sha256(f"{salt}{owner}".encode()).hexdigest()
        return f"Guest {digest[:4]}"
    return "Programs" if kind == "api" else "Commands"


def _list_devices(stats: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the devices whose memory a server reports; its answer may be of any shape."""
    devices = stats.get("devices")
    if not isinstance(devices, list):
        return
    for device in devices:
        if not isinstance(device, dict):
            continue
        total = device.get("vram_total")
        free = device.get("vram_free")
        if not isinstance(total, int | float) or not isinstance(free, int | float):
            continue
        if not total > 0:  # NaN, too
            continue
        name = str(device.get("name") or device.get("type") or "Device")
        short_name, _, _ = name.partition(" : ")
        used = max(total - free, 0)
        yield {"name": short_name, "used": used, "total": total}
