"""Logging of our modules to stderr, with the secrets of the settings masked."""

from __future__ import annotations

import base64
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from comfygradio.comfy.address import Address, parse_url
from comfygradio.comfy.masking import MASK, mask_text
from comfygradio.settings import Settings

NAME = "comfygradio"
"""The logger above those of all our modules."""

LINE = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s"
TIME = "%H:%M:%S"
MIN_SECRET_LENGTH = 4
"""A shorter secret is not looked for: it would be found in the middle of other words."""


class StderrHandler(logging.Handler):
    """Writes to whatever stderr is at that moment, so that a progress bar stays below the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; whatever goes wrong with it ends nothing else."""
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:
            self.handleError(record)


class MaskingFormatter(logging.Formatter):
    """Writes lines and tracebacks with every one of these secrets masked, and whatever else looks
    like one.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(LINE, TIME)
        different = set(secrets)
        # The longest first: a shorter one may be a part of it.
        self._secrets = sorted(different, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback if there is one."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return mask_text(text)


def start_logging(settings: Settings) -> None:
    """Write the log to stderr from now on, if the settings say so."""
    # The handler of an earlier call would write every line once more.
    stop_logging()
    if not settings.verbose:
        return
    secrets = list_secrets(settings)
    handler = StderrHandler()
    handler.setFormatter(MaskingFormatter(secrets))
    logger = logging.getLogger(NAME)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)


def stop_logging() -> None:
    """Undo `start_logging`."""
    logger = logging.getLogger(NAME)
    # A copy, since the list is changed while it is walked.
    for handler in list(logger.handlers):
        if isinstance(handler, StderrHandler):
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)


def list_secrets(settings: Settings) -> Iterator[str]:
    """Passwords, tokens and keys of the settings, in every spelling that a text may hold."""
    for secret in _list_plain(settings):
        spellings = (secret, quote(secret, safe=""), quote_plus(secret))
        for spelling in spellings:
            if len(spelling) >= MIN_SECRET_LENGTH:
                yield spelling


def _list_plain(settings: Settings) -> Iterator[str]:
    servers = list(settings.more_servers)
    if settings.server:
        servers.insert(0, settings.server)
    for server in servers:
        yield from _list_of_address(parse_url(server))
    yield settings.api_key
    for value in settings.headers.values():
        # Of "Bearer TOKEN" and of "a=1; session=TOKEN" the parts may stand elsewhere alone.
        yield value
        for part in re.split(r"[\s;,]+", value):
            yield part
            yield part.partition("=")[2]


def _list_of_address(address: Address) -> Iterator[str]:
    # A parameter in the address may be a token.
    yield from address.params.values()
    if address.authorization:
        _, _, login = address.authorization.partition(" ")
        yield login
        # The login is "NAME:PASSWORD" in base64, and the password may stand elsewhere by itself.
        pair = base64.b64decode(login).decode()
        _, _, password = pair.partition(":")
        yield password
