"""Words and numbers for the Status page: how servers are, and who waits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.lane import Lane, LaneStatus

Json = dict[str, Any]


def describe_server(status: LaneStatus, lacks: list[str]) -> Json:
    """One server as JSON; memory is in bytes. `lacks` says what it is not used for."""
    stats = status.stats or {}
    system = stats.get("system")
    version = str(system.get("comfyui_version") or "") if isinstance(system, dict) else ""
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


def list_lacking(lane: Lane, forms: Mapping[str, Form]) -> list[str]:
    """A sentence for each preset that a server is not used for, whatever people choose
    in the form.
    """
    found = (
        (form.title, lane.refuse(_drop_choices(form)))
        for form in forms.values()
        if not form.problems
    )
    return [f"Not used for {title}: {reason}" for title, reason in found if reason]


def _drop_choices(form: Form) -> dict[str, Any]:
    """The stored workflow without the inputs that fields fill."""
    chosen = {
        (slot.node_id, slot.input) for field in form.fields.values() for slot in field.all_slots
    }
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
        return f"Guest {hashlib.sha256(f'{salt}{owner}'.encode()).hexdigest()[:4]}"
    return "Programs" if kind == "api" else "Commands"


def _list_devices(stats: Mapping[str, Any]) -> Iterator[Json]:
    listed = stats.get("devices")
    for device in listed if isinstance(listed, list) else []:
        if not isinstance(device, dict):
            continue
        total, free = device.get("vram_total"), device.get("vram_free")
        if isinstance(total, int | float) and isinstance(free, int | float) and total > 0:
            name = str(device.get("name") or device.get("type") or "Device")
            yield {"name": name.split(" : ")[0], "used": max(total - free, 0), "total": total}
