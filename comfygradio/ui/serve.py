"""Starts the web app: chooses the server, builds the page, launches Gradio with safe settings."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from urllib.request import getproxies

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.registry import connect
from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import ComfyGradioError, ServerUnreachable, SettingsError
from comfygradio.jobs.job_store import find_job_store
from comfygradio.jobs.limits import Limits
from comfygradio.service.disconnect_watch import DisconnectWatch
from comfygradio.service.preset_watcher import PresetWatcher
from comfygradio.service.service import Service
from comfygradio.settings import DEFAULT_SERVER, Settings
from comfygradio.ui.app import App
from comfygradio.ui.cover_route import make_cover_route
from comfygradio.ui.form.model_route import make_model_route
from comfygradio.ui.history.zip_route import make_zip_route
from comfygradio.ui.identity.auth_scheme import SessionScheme
from comfygradio.ui.identity.authenticator import Authenticator
from comfygradio.ui.identity.identity_middleware import AccessControl, make_identity_middleware
from comfygradio.ui.identity.login_session import LoginSessions
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import find_authors, find_operators
from comfygradio.ui.identity.users import load_users
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.job.job_view import make_job_route, make_stream_route
from comfygradio.ui.job.result_route import make_result_route
from comfygradio.ui.launch_options import (
    apply_launch_options,
    disable_editor_blobs,
    list_visible_options,
)
from comfygradio.ui.light_session import use_light_sessions
from comfygradio.ui.middleware.guarded_app import GuardedApp
from comfygradio.ui.middleware.header_timeout import add_header_timeout
from comfygradio.ui.middleware.page_head import PageHead
from comfygradio.ui.middleware.stack import list_middleware
from comfygradio.ui.middleware.upload_quota import UploadQuotaMiddleware
from comfygradio.ui.page import build_page
from comfygradio.ui.scratch_directory import resolve_folders
from comfygradio.ui.site import load_site
from comfygradio.ui.site_route import make_site_routes
from comfygradio.ui.static.static_route import make_static_route
from comfygradio.ui.sweep.sheet_route import make_sheet_route
from comfygradio.ui.sweep.thumbnail_route import make_thumb_route
from comfygradio.ui.theme import build_head_script, make_page_options
from comfygradio.units import MEGABYTE

JOIN_SECONDS = 3.0
"""How long the start waits for the first worker of a cluster; without one, the page only says why
it cannot be used.
"""

MAX_THREADS = 400
"""How many events Gradio runs at the same time, open generators included; with its default of 40,
further events would wait.
"""

SWITCH_SECONDS = 0.0005
"""How long a thread that plans a sweep or opens a picture may keep Python's lock from the others.

A click needs the lock many times. With Python's default of 5 ms each time, a click took a second
while two people planned 10,000 points.
"""


def build(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> App:
    """Choose the server, read the presets and build the page; nothing listens yet.

    Raises SettingsError.
    """
    settings = resolve_folders(settings)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    upload_folder = os.environ.get("GRADIO_TEMP_DIR") or make_upload_folder()
    os.environ["GRADIO_TEMP_DIR"] = os.path.abspath(upload_folder)
    disable_editor_blobs()
    operators = find_operators(settings)
    authors = find_authors(settings)
    authenticator = open_authenticator(settings)
    site = load_site(settings)
    service, demo = open_service(settings, clock)
    if settings.on_disconnect == "cancel":
        service.disconnect_watch = DisconnectWatch(service.queue.stop, clock=clock)
    service.connect()
    page_sessions = PageSessions(clock)
    job_streams = JobStreams(service.limits.streams, service.queue.outputs)
    forms = service.forms
    blocks = build_page(
        service,
        0,
        authors,
        page_sessions,
        job_streams,
        operators,
        has_login=authenticator is not None,
        title=site.title,
    )
    app = App(
        settings,
        service,
        blocks,
        PresetWatcher(settings.presets, service.reload, clock=clock),
        page_sessions,
        job_streams,
        site,
        demo,
        operators,
        authors,
        authenticator,
    )
    service.on_forms_changed = app.rebuild
    # A backend may have joined while the page was drawn.
    app.is_stale = service.forms is not forms
    return app


def open_authenticator(settings: Settings) -> Authenticator | None:
    """Load the users who may log in; None if nobody has to log in.

    Prints a warning about passwords in plain text. Raises SettingsError for an --auth file that
    cannot be used.
    """
    if settings.auth is None:
        return None
    users = load_users(settings.auth)
    if users.plain:
        named = ", ".join(users.plain[:5])
        if len(users.plain) > 5:
            named += ", …"
        print(
            f"The --auth file holds passwords that everybody can read who can read the file "
            f"({named}); write such a line anew with: comfygradio password USER",
            file=sys.stderr,
        )
    return Authenticator(users, LoginSessions())


def open_service(
    settings: Settings, clock: Clock = SYSTEM_CLOCK
) -> tuple[Service, DemoServer | None]:
    """Connect to the servers of the settings; return the service, and the demo server if one was
    started.
    """
    limits = make_limits(settings)
    outputs = settings.outputs.resolve()
    if settings.engine is not None:
        cluster = connect(settings.engine, settings)
        with suppress(ServerUnreachable):
            cluster.wait_for_backend(JOIN_SECONDS)
        service = Service(
            cluster.client,
            settings.presets,
            outputs,
            limits=limits,
            backend_pool=cluster,
            clock=clock,
        )
        return service, None
    client, demo = choose_server(settings)
    others = [_open_client(settings, url) for url in settings.more_servers]
    service = Service(
        client,
        settings.presets,
        outputs,
        is_demo=demo is not None,
        others=others,
        limits=limits,
        clock=clock,
    )
    return service, demo


def make_limits(settings: Settings) -> Limits:
    """Make the limits for everybody out of the settings."""
    return Limits(
        jobs_waiting=settings.jobs_per_person,
        jobs_in_all=settings.jobs_in_all,
        megapixels=settings.max_megapixels,
        steps=settings.max_steps,
        upload_mb=settings.max_upload_mb,
        result_mb=settings.max_result_mb,
        sweep_points=settings.max_sweep_points,
        streams=settings.streams,
        names=settings.names,
    )


def choose_server(settings: Settings) -> tuple[ComfyClient, DemoServer | None]:
    """Choose the server of the settings; else the default one, or the demo server if that does not
    answer.
    """
    if settings.server is not None:
        return _open_client(settings, settings.server), None
    client = _open_client(settings, DEFAULT_SERVER)
    if not settings.demo and _answers(client):
        return client, None
    client.close()
    options = DemoOptions(step_seconds=settings.step_seconds)
    demo = DemoServer(options).start()
    return ComfyClient(demo.url), demo


def launch(app: App, *, block: bool = True) -> str:
    """Launch the app and return its address; with `block`, return after it was stopped.

    With `block` the process works in the app's scratch directory from then on. Gradio's reload mode
    calls this again from its own thread, which must not be blocked. Raises SettingsError if the
    address cannot be listened on.
    """
    disable_statistics()
    if block:
        app.scratch.enter()
    app.blocks.queue(default_concurrency_limit=None)
    app.watcher.start()
    app.service.queue.start()
    app.service.trash_emptier.start()
    try:
        address = _listen(app)
    except OSError as error:
        app.close()
        where = f"{app.settings.host}:{app.settings.port}"
        raise SettingsError(
            f"The page cannot be served at {where}: is the port taken? Try another --port."
        ) from error
    served = app.blocks
    use_light_sessions(served.app)
    app.open()
    if block and threading.current_thread() is threading.main_thread():
        _wait_until_stopped(app, served, address)
    return address


def _listen(app: App) -> str:
    """Launch Gradio; return the address of the page."""
    settings = app.settings
    host = settings.host.strip("[]")
    outputs = settings.outputs.resolve()
    job_store_folder = find_job_store(outputs).parent
    bypass_proxies(host)
    ignore_forwarded_headers()
    sys.setswitchinterval(SWITCH_SECONDS)
    _, address, _ = app.blocks.launch(
        server_name=f"[{host}]" if ":" in host else host,  # Gradio wants brackets around IPv6
        server_port=settings.port or None,
        root_path=settings.root_path or None,
        auth_dependency=find_login if app.authenticator else None,
        allowed_paths=[str(outputs)],
        blocked_paths=[str(job_store_folder)],
        max_file_size=int(settings.max_upload_mb * MEGABYTE),
        max_threads=MAX_THREADS,
        prevent_thread_lock=True,
        _frontend=False,  # otherwise Gradio gives up if drawing the page takes more than 3 s
        enable_monitoring=False,
        quiet=True,
        _app=_make_guarded_app(app),
        **list_visible_options(settings),
        **make_page_options(),
    )
    if not app.blocks.is_running:  # in Gradio's reload mode, the server runs already
        apply_launch_options(app.blocks, settings)
        return str(address)
    config = app.blocks.server.config
    config.http_protocol_class = add_header_timeout(config.http_protocol_class)
    return str(address)


def _make_guarded_app(app: App) -> GuardedApp:
    """Wrap Gradio's app in our middleware, and add our routes."""
    guarded = GuardedApp(_list_routes(app))
    guarded.add_exception_handler(RequestValidationError, answer_invalid_body)
    schemes = []
    if app.authenticator:
        schemes.append(SessionScheme(app.authenticator.sessions))
    proxies = [ip_network(proxy) for proxy in app.settings.trust_proxies]
    access_control = AccessControl(schemes, proxies)
    upload_quota = partial(
        UploadQuotaMiddleware,
        quota=app.service.upload_quota,
        name_person=access_control.find_quota_key,
    )
    middleware = list_middleware(
        app.settings,
        access_control.admits,
        scripts=[build_head_script()],
        quotas=[upload_quota],
    )
    identity = make_identity_middleware(access_control, app.authenticator, app.site.title)
    head = partial(PageHead, write_head=app.site.write_head, root_path=app.settings.root_path)
    # Inside of the login, whose page has a head of its own.
    guarded.outer_middleware = (*middleware, identity, head)
    return guarded


def find_login(request: Request) -> str | None:
    """Find the login of the sender of a request, for Gradio; None if they have none."""
    person = find_person(request)
    return person.login or None


async def answer_invalid_body(request: Request, error: Exception) -> Response:
    """Answer a body that is not of Gradio's form. FastAPI's own answer repeats what was sent, and
    fails on lone surrogates.
    """
    return JSONResponse({"error": "This call is not of the shape that is expected."}, 422)


def disable_statistics() -> None:
    """Disable the statistics of the last 10,000 events that Gradio 6.31 computes after each event,
    for a page of its own that is off.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")


def ignore_forwarded_headers() -> None:
    """Make uvicorn ignore `X-Forwarded-For`: our middleware reads it, from trusted proxies only."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def bypass_proxies(host: str) -> None:
    """Use no proxy for this machine's own addresses: Gradio calls its own page while it starts."""
    proxies = getproxies()
    if not proxies:
        return
    bypassed = ["localhost", "127.0.0.1", "::1"]
    if proxies.get("no"):
        bypassed.insert(0, proxies["no"])
    if host:
        bypassed.append(host)
    proxies["no"] = ",".join(bypassed)
    for scheme, value in proxies.items():
        os.environ[f"{scheme}_proxy"] = value


def _list_routes(app: App) -> list[Route]:
    service = app.service
    outputs = app.settings.outputs.resolve()
    job_store_folder = find_job_store(outputs).parent
    return [
        *make_site_routes(app.site),
        make_static_route(),
        _make_revision_route(app),
        make_job_route(service),
        make_stream_route(app.job_streams),
        make_result_route(outputs, job_store_folder.name, service.readers),
        make_zip_route(app.page_sessions, service.store, service.clock),
        make_sheet_route(app.page_sessions, service),
        make_cover_route(service.find_cover, service.readers),
        make_thumb_route(service.sweeps.find, service.readers),
        make_model_route(service),
    ]


def _make_revision_route(app: App) -> Route:
    """Make the route by which open pages notice that the page was drawn anew."""

    async def serve_revision(request: Request) -> Response:
        headers = {"cache-control": "no-store"}
        return PlainTextResponse(str(app.revision), headers=headers)

    return Route("/gradio_api/comfygradio/revision", serve_revision)


def serve(settings: Settings) -> None:
    """Run the web app until Ctrl-C or SIGTERM."""
    app = build(settings)
    launch(app)


def make_upload_folder() -> str:
    """Make a private folder for Gradio's uploads, which is removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="comfygradio-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _open_client(settings: Settings, url: str) -> ComfyClient:
    return ComfyClient(
        url,
        headers=settings.headers,
        api_key=settings.api_key,
    )


def _answers(client: ComfyClient) -> bool:
    try:
        client.queue_remaining()
    except ServerUnreachable:
        return False
    except ComfyGradioError:  # something is wrong with the server, but it is there
        return True
    return True


def _wait_until_stopped(app: App, served: gr.Blocks, address: str) -> None:
    """Wait for Ctrl-C or SIGTERM, and close the app.

    `served` are the Blocks that were launched; those that replaced them later do not listen.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The objects of the page are kept for ever. Frozen, they no longer make every run of the
    # garbage collector long, during which everybody waits.
    gc.freeze()
    print(
        f"comfygradio is at {address} (ComfyUI: {app.service.client.url}). Ctrl-C stops it.",
        flush=True,
    )
    try:
        served.block_thread()
    except KeyboardInterrupt:
        pass
    finally:
        app.close()
        served.close(verbose=False)
