"""`comfygradio worker` and `comfygradio scheduler`."""

from __future__ import annotations

from typing import Any

from comfygradio.cluster.address import (
    check_installed,
    check_private,
    find_own_host,
    is_loopback,
    parse_cluster,
)
from comfygradio.cluster.nodes import run_until_stopped
from comfygradio.comfy.client import ComfyClient
from comfygradio.errors import ComfyGradioError, SettingsError
from comfygradio.settings import DEFAULT_SERVER, Settings


def start_worker(settings: Settings, host: str | None, port: int, name: str) -> int:
    """Be a backend of a cluster until Ctrl-C. Raises SettingsError."""
    check_installed()
    if settings.scheduler is None:
        raise SettingsError("Name the Dask scheduler to join: --scheduler tls://HOST:8786.")
    address = parse_cluster(settings.scheduler, settings, "--scheduler")
    if host:
        own = host
    elif is_loopback(address.host):
        own = "127.0.0.1"
    else:
        own = find_own_host(address)
    if address.tls is None:
        # Whoever reaches a Dask port runs code there.
        check_private(own, f"--host: {own}")
    from comfygradio.cluster.worker import WorkerTarget, run_worker

    server = settings.server or DEFAULT_SERVER
    target = WorkerTarget(server, settings.headers, own, port, name, settings.api_key)
    print(describe_server(target.server, settings), flush=True)
    run_until_stopped(lambda stop: run_worker(address, target, stop))
    return 0


def start_scheduler(settings: Settings, text: str) -> int:
    """Be the scheduler of a cluster until Ctrl-C. Raises SettingsError."""
    check_installed()
    address = parse_cluster(text, settings, "--address")
    from comfygradio.cluster.nodes import run_scheduler

    try:
        run_until_stopped(lambda stop: run_scheduler(address, stop))
    except (OSError, RuntimeError) as error:
        cause = error.__cause__ or error
        reason = getattr(cause, "strerror", None) or error
        raise SettingsError(f"The scheduler cannot listen at {address}: {reason}.") from error
    return 0


def describe_server(url: str, settings: Settings) -> str:
    """Describe in a sentence what a ComfyUI has, or why it does not answer."""
    with ComfyClient(url, headers=settings.headers) as client:
        try:
            nodes = client.object_info().nodes
        except ComfyGradioError as error:
            return f"{error} The worker waits for it."
    files = set[Any]()
    for node in nodes.values():
        for spec in node.inputs.values():
            for choice in spec.choices or ():
                if str(choice).endswith(".safetensors"):
                    files.add(choice)
    return f"ComfyUI at {client.url} has {len(nodes)} node classes and {len(files)} model files."
