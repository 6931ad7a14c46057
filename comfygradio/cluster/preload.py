"""Makes backends of workers that other programs start, such as dask-jobqueue and `dask worker`:

COMFYUI_URL=http://127.0.0.1:8188 dask worker tls://HEAD:8786 --nthreads 1 --preload
comfygradio.cluster.preload
"""

from __future__ import annotations

from typing import Any

from comfygradio.cluster.worker import BackendPlugin, WorkerTarget
from comfygradio.log import start_logging
from comfygradio.settings import DEFAULT_SERVER, load_settings


async def dask_setup(worker: Any) -> None:
    """Add the plugin. Dask calls this when a worker starts; it closes the plugin at the end."""
    settings = load_settings()
    start_logging(settings)
    # The address is of the form tls://10.0.0.2:40123, or tls://[fd00::2]:40123.
    _, _, place = worker.address.rpartition("://")
    host, _, _ = place.rpartition(":")
    target = WorkerTarget(
        settings.server or DEFAULT_SERVER,
        settings.headers,
        host.strip("[]"),
        api_key=settings.api_key,
    )
    await worker.plugin_add(BackendPlugin(target), catch_errors=False)
