"""Makes backends of the workers that somebody else starts, as dask-jobqueue and `dask worker` do:

COMFYUI_URL=http://127.0.0.1:8188 dask worker tls://HEAD:8786 --nthreads 1 --preload
comfygradio.cluster.preload
"""

from __future__ import annotations

from typing import Any

from comfygradio.cluster.worker import BackendPlugin, Beside
from comfygradio.log import start_logging
from comfygradio.settings import DEFAULT_SERVER, load_settings


async def dask_setup(worker: Any) -> None:
    """Dask calls this when a worker begins; it tears the plugin down when the worker ends."""
    settings = load_settings()
    start_logging(settings)
    place = worker.address.rpartition("://")[2]
    host = place.rpartition(":")[0].strip("[]")
    server = settings.server or DEFAULT_SERVER
    beside = Beside(server, settings.headers, host, api_key=settings.api_key)
    await worker.plugin_add(BackendPlugin(beside), catch_errors=False)
