"""Passwords: how they are kept, and what guessing them costs whoever tries."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import pty
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from comfygradio.cli.app import run_command
from comfygradio.errors import SettingsError
from comfygradio.ui.identity.authenticator import BUSY, MAX_WAITING, WRONG, Authenticator
from comfygradio.ui.identity.login_session import (
    IDLE_SECONDS,
    LIFE_SECONDS,
    MAX_PER_LOGIN,
    LoginSessions,
)
from comfygradio.ui.identity.login_throttle import (
    ADDRESS_BACKOFF,
    FORGET_SECONDS,
    MAX_TRACKED,
    USER_BACKOFF,
    LoginThrottle,
)
from comfygradio.ui.identity.password_hash import (
    DEFAULT_COST,
    ScryptCost,
    hash_password,
    parse_hash,
)
from comfygradio.ui.identity.users import Users, load_users, read_auth
from tests.clocks import ManualClock

CHEAP = ScryptCost(ln=4, r=1, p=1)
"""Enough for tests that are not about the cost."""


def test_a_hash_holds_its_parameters_and_no_password() -> None:
    kept = hash_password("correct horse", CHEAP)
    text = str(kept)
    assert text.startswith("$scrypt$ln=4,r=1,p=1$") and "horse" not in text
    assert parse_hash(text) == kept and str(parse_hash(text)) == text
    assert kept.matches("correct horse") and not kept.matches("correct horse ")
    assert str(hash_password("correct horse", CHEAP)) != text
    assert str(kept.digest) not in repr(kept) and str(kept.salt) not in repr(kept)


def test_new_hashes_cost_what_owasp_asks_for() -> None:
    assert DEFAULT_COST.memory_bytes >= 16 * 2**20 and DEFAULT_COST.p >= 5


@pytest.mark.parametrize(
    "text",
    [
        "$scrypt$",
        "$scrypt$ln=4,r=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$short",
        "$scrypt$ln=25,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=17,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=4,r=1,p=99$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=0,r=1,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=4,r=0,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=4,r=1,p=1$" + "A" * 22 + "$" + "A" * 40,
        "$scrypt$ln=4,r=1,p=1$" + "A" * 21 + "$" + "A" * 43,
        "$argon2id$v=19$m=65536",
    ],
)
def test_hashes_that_are_damaged_or_too_dear_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_hash(text)


def test_a_users_file_may_mix_hashes_and_plain_lines(tmp_path: Path) -> None:
    file = tmp_path / "users"
    hashed = hash_password("one", CHEAP)
    file.write_text(f"# ours\nann:{hashed}\nben:two\n", encoding="utf-8")
    users = load_users(file)
    assert users.names == {"ann", "ben"} and users.plain == ("ben",)
    assert users.check("ann", "one") and users.check("ben", "two")
    for name, password in (("ann", str(hashed)), ("ann", ""), ("ben", "one"), ("eve", "one")):
        assert not users.check(name, password)


def test_with_a_byte_order_mark_the_first_user_can_log_in(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_bytes(b"\xef\xbb\xbfann:one\r\nben:two\r\n")
    assert read_auth(file) == [("ann", "one"), ("ben", "two")]


def test_a_damaged_hash_stops_the_app_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ann:$scrypt$ln=4,r=1,p=1$AAAA$AAAA\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"user ann .* comfygradio password ann"):
        load_users(file)


def test_somebody_unknown_costs_as_much_as_somebody_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: one hash of the dearest parameters for whoever it is."""
    dear, cheap = hash_password("one", ScryptCost(6, 1, 2)), hash_password("two", CHEAP)
    users = Users([("ann", str(dear)), ("ben", str(cheap)), ("eve", "three")])
    paid: list[tuple[int, int, int]] = []
    scrypt = hashlib.scrypt

    def count(*given: Any, **named: Any) -> bytes:
        paid.append((named["n"], named["r"], named["p"]))
        return scrypt(*given, **named)

    monkeypatch.setattr(hashlib, "scrypt", count)
    for name in ("ann", "nobody", "eve", ""):
        paid.clear()
        users.check(name, "wrong")
        assert paid == [(2**6, 1, 2)], name


def test_the_first_failures_are_free_and_each_further_one_doubles_the_wait() -> None:
    clock = ManualClock()
    attempts = LoginThrottle(clock)
    waits = []
    for number in range(12):
        wait = attempts.begin("ann", f"10.0.0.{number}")
        waits.append(wait)
        if wait:
            clock.advance(wait)
            assert attempts.begin("ann", f"10.0.0.{number}") == 0
    assert USER_BACKOFF.free_failures == 3 and waits[:3] == [0, 0, 0]
    assert waits[3:9] == [1, 2, 4, 8, 16, 32] and set(waits[9:]) == {USER_BACKOFF.longest_seconds}


def test_an_address_waits_whatever_name_it_tries() -> None:
    clock = ManualClock()
    attempts = LoginThrottle(clock)
    for number in range(ADDRESS_BACKOFF.free_failures):
        assert attempts.begin(f"user{number}", "10.0.0.1") == 0
    assert attempts.begin("another", "10.0.0.1") == 1.0
    assert attempts.begin("another", "10.0.0.2") == 0
    tried, waited = ADDRESS_BACKOFF.free_failures, 0.0
    while waited < 3600:
        wait = attempts.begin(f"user{tried}", "10.0.0.1")
        clock.advance(wait)
        waited += wait
        tried += wait == 0
    assert tried < 30, "an hour of guessing from one address"


def test_who_logs_in_with_a_name_of_their_own_does_not_begin_anew() -> None:
    clock = ManualClock()
    attempts = LoginThrottle(clock)
    guessed, waited = 0, 0.0
    while waited < 600:
        for name in ("ann", "mine"):
            wait = attempts.begin(name, "10.0.0.1")
            if wait:
                clock.advance(wait)
                waited += wait
            elif name == "mine":
                attempts.record_success("mine", "10.0.0.1")
            else:
                guessed += 1
    assert guessed < 30


def test_others_failures_keep_nobody_out_who_was_here_before() -> None:
    attempts = LoginThrottle(ManualClock())
    assert attempts.begin("ann", "10.0.0.1") == 0
    attempts.record_success("ann", "10.0.0.1")
    for number in range(20):
        attempts.begin("ann", f"10.9.0.{number}")
    assert attempts.begin("ann", "10.9.1.1") > 0
    assert attempts.begin("ann", "10.0.0.1") == 0


def test_failures_are_forgotten_with_time() -> None:
    clock = ManualClock()
    attempts = LoginThrottle(clock)
    for _ in range(USER_BACKOFF.free_failures):
        attempts.begin("ann", "10.0.0.1")
    assert attempts.begin("ann", "10.0.0.1") > 0
    clock.advance(FORGET_SECONDS * USER_BACKOFF.free_failures)
    for _ in range(USER_BACKOFF.free_failures):
        assert attempts.begin("ann", "10.0.0.1") == 0


@pytest.mark.deep
def test_what_is_remembered_has_an_end() -> None:
    attempts = LoginThrottle(ManualClock())
    for number in range(MAX_TRACKED + 100):
        attempts.begin(f"user{number}", f"address{number}")
    assert len(attempts._users._failures) == len(attempts._addresses._failures) == MAX_TRACKED


def make_authenticator(clock: ManualClock) -> Authenticator:
    return Authenticator(
        Users([("ann", str(hash_password("one", CHEAP)))]), LoginSessions(clock), clock
    )


def test_many_attempts_at_once_are_as_few_as_one_after_the_other() -> None:
    async def attack() -> list[str]:
        authenticator = make_authenticator(ManualClock())
        tries = (authenticator.log_in("ann", f"wrong{number}", "10.0.0.1") for number in range(18))
        return [verdict.message for verdict in await asyncio.gather(*tries)]

    sentences = asyncio.run(attack())
    assert sentences.count(WRONG) == USER_BACKOFF.free_failures
    assert all(one == WRONG or "try again in 1 second." in one for one in sentences)


def test_a_flood_does_not_wait_in_line() -> None:
    async def attack() -> list[str]:
        authenticator = make_authenticator(ManualClock())
        tries = (authenticator.log_in("ann", "x", "10.0.0.1") for _ in range(600))
        return [verdict.message for verdict in await asyncio.gather(*tries)]

    assert asyncio.run(attack()).count(BUSY) == 600 - MAX_WAITING


def test_right_passwords_at_once_all_get_in() -> None:
    async def arrive() -> list[str]:
        authenticator = make_authenticator(ManualClock())
        tries = (authenticator.log_in(" ann ", "one", "10.0.0.1") for _ in range(MAX_WAITING))
        return [verdict.secret for verdict in await asyncio.gather(*tries)]

    secrets = asyncio.run(arrive())
    assert all(secrets) and len(set(secrets)) == MAX_WAITING


class Thoughtful(Users):
    """Comes to no verdict before it is told to."""

    def __init__(self) -> None:
        super().__init__([("ann", "one")])
        self.may_go_on = threading.Event()

    def check(self, name: str, password: str) -> bool:
        return self.may_go_on.wait(30)


def test_the_loop_goes_on_while_a_password_is_looked_at() -> None:
    async def watch() -> str:
        users = Thoughtful()
        trying = asyncio.ensure_future(
            Authenticator(users, LoginSessions()).log_in("ann", "x", "10.0.0.1")
        )
        await asyncio.sleep(0)
        users.may_go_on.set()
        return (await trying).secret

    assert asyncio.run(watch())


@pytest.mark.parametrize(
    ("name", "password"), [("", "x"), ("   ", "x"), ("a" * 201, "x"), ("ann", "x" * 1001)]
)
def test_what_is_no_name_and_no_password_is_not_looked_at(name: str, password: str) -> None:
    verdict = asyncio.run(make_authenticator(ManualClock()).log_in(name, password, "10.0.0.1"))
    assert (verdict.secret, verdict.message) == ("", WRONG)


def test_a_session_ends_when_it_is_not_used_and_after_its_time() -> None:
    clock = ManualClock()
    sessions = LoginSessions(clock)
    idle, used = sessions.open("ann"), sessions.open("ann")
    clock.advance(IDLE_SECONDS - 1)
    assert sessions.find(used)
    clock.advance(2)
    assert sessions.find(idle) is None and sessions.find(used)
    passed = IDLE_SECONDS + 1
    while passed <= LIFE_SECONDS:
        assert sessions.find(used)
        clock.advance(IDLE_SECONDS / 2)
        passed += IDLE_SECONDS / 2
    assert sessions.find(used) is None


def test_sessions_are_secrets_that_are_not_kept() -> None:
    sessions = LoginSessions(ManualClock())
    secret = sessions.open("ann")
    session = sessions.find(secret)
    assert session and session.login == "ann" and secret not in repr(vars(sessions))
    assert all(sessions.find(wrong) is None for wrong in ("", secret[:-1], session.id, "ü\ud800"))
    sessions.close(secret)
    assert sessions.find(secret) is None


def test_a_login_has_only_so_many_sessions() -> None:
    sessions = LoginSessions(ManualClock())
    other, first = sessions.open("ben"), sessions.open("ann")
    for _ in range(MAX_PER_LOGIN):
        sessions.open("ann")
    assert sessions.find(first) is None and sessions.find(other)


def write_line(monkeypatch: pytest.MonkeyPatch, typed: str, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return run_command(["password", *arguments])


@pytest.mark.deep
def test_the_command_writes_a_line_that_lets_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert write_line(monkeypatch, "a pass:word \n", "ann") == 0
    line = capsys.readouterr().out
    (tmp_path / "users").write_text(line, encoding="utf-8")
    users = load_users(tmp_path / "users")
    assert users.plain == () and users.check("ann", "a pass:word ")
    assert "word" not in line and line.count("\n") == 1
    assert write_line(monkeypatch, "x\n") == 0
    assert capsys.readouterr().out.startswith("$scrypt$")


@pytest.mark.parametrize(
    ("typed", "user", "said"),
    [
        ("", "ann", "There is no password"),
        ("\n", "ann", "There is no password"),
        ("x\n", "an:n", "holds no colon"),
        ("x\n", "#ann", "holds no colon"),
        ("x\n", "a\nben", "holds no colon"),
        ("x\n", "a" * 201, "at most 200"),
        ("x" * 1001, "ann", "at most 1000"),
    ],
)
def test_the_command_says_what_cannot_stand_in_the_file(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    user: str,
    said: str,
) -> None:
    assert write_line(monkeypatch, typed, user) == 2
    told = capsys.readouterr()
    assert said in told.err and told.out == ""


@pytest.mark.process
def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown() -> None:
    assert type_passwords("horse", "horse")[0] == 0
    code, seen = type_passwords("horse", "house")
    assert code == 2 and "two different passwords" in seen


def type_passwords(*typed: str) -> tuple[int, str]:
    """Run the command on a terminal of its own; its exit code, and what was to be seen there."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-m", "comfygradio", "password", "ann"])
    seen = ""
    for prompt, password in zip(("Password: ", "Once more: "), typed, strict=True):
        while not seen.endswith(prompt):
            seen += os.read(terminal, 1000).decode()
        os.write(terminal, f"{password}\n".encode())
    while part := read_rest(terminal):
        seen += part
    assert not any(password in seen for password in typed)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), seen


def read_rest(terminal: int) -> str:
    """What comes next on a terminal, "" once its program has ended."""
    try:
        return os.read(terminal, 1000).decode()
    except OSError:
        return ""
