"""Challenges: issued to one session, taken once, for five minutes, and never too many."""

import collections
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from jpki.authentication import (
    ChallengeStore,
    MemoryChallengeStore,
    SqliteChallengeStore,
    check_nonce,
)
from jpki.authentication.errors import TokenError, TokenFault

START = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
LIFETIME = timedelta(minutes=5)
SESSION = "the session of one browser"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Maker = Callable[..., MemoryChallengeStore | SqliteChallengeStore]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Maker]:
    opened: list[SqliteChallengeStore] = []

    def made(**options: int) -> MemoryChallengeStore | SqliteChallengeStore:
        if request.param == "memory":
            return MemoryChallengeStore(clock=clock, **options)
        store = SqliteChallengeStore(tmp_path / "challenges", clock=clock, **options)
        opened.append(store)
        return store

    yield made
    for store in opened:
        store.close()


@pytest.fixture
def store(make: Maker) -> ChallengeStore:
    return make()


def refusal(store: ChallengeStore, nonce: str, session: str = SESSION) -> TokenFault:
    with pytest.raises(TokenError) as caught:
        store.take(nonce, session)
    return caught.value.fault


def test_a_nonce_is_taken_once(store: ChallengeStore) -> None:
    nonce = store.issue(SESSION)
    check_nonce(nonce)
    store.take(nonce, SESSION)
    assert refusal(store, nonce) is TokenFault.NONCE_TAKEN


def test_one_session_may_have_several_as_with_two_tabs(store: ChallengeStore) -> None:
    first, second = store.issue(SESSION), store.issue(SESSION)
    store.take(second, SESSION)
    store.take(first, SESSION)


@pytest.mark.parametrize("nonce", ["A" * 44, "", "\ud800", "あ", "x" * 100_000])
def test_what_was_never_issued_is_not_known(store: ChallengeStore, nonce: str) -> None:
    store.issue(SESSION)
    assert refusal(store, nonce) is TokenFault.NONCE_UNKNOWN


def test_another_session_cannot_take_a_nonce_nor_use_it_up(store: ChallengeStore) -> None:
    nonce = store.issue(SESSION)
    assert refusal(store, nonce, "another browser") is TokenFault.NONCE_OF_OTHER_SESSION
    store.take(nonce, SESSION)
    assert refusal(store, nonce, "another browser") is TokenFault.NONCE_OF_OTHER_SESSION


def test_a_nonce_lives_for_five_minutes(store: ChallengeStore, clock: Clock) -> None:
    in_time, too_late = store.issue(SESSION), store.issue(SESSION)
    clock.now += LIFETIME
    store.take(in_time, SESSION)
    clock.now += timedelta(milliseconds=1)
    assert refusal(store, too_late) is TokenFault.NONCE_EXPIRED
    assert refusal(store, in_time) is TokenFault.NONCE_TAKEN


def test_a_clock_that_is_set_back_a_little_harms_no_login(
    store: ChallengeStore, clock: Clock
) -> None:
    nonce, other = store.issue(SESSION), store.issue(SESSION)
    clock.now -= timedelta(minutes=1)
    store.take(nonce, SESSION)
    clock.now -= timedelta(days=1)
    assert refusal(store, other) is TokenFault.NONCE_EXPIRED


def test_old_ones_are_cleaned_away(make: Maker, clock: Clock) -> None:
    store = make()
    old = [store.issue(SESSION) for _ in range(5)]
    store.take(old[0], SESSION)
    clock.now += 2 * LIFETIME + timedelta(seconds=1)
    store.issue(SESSION)
    assert len(store) == 1
    assert {refusal(store, nonce) for nonce in old} == {TokenFault.NONCE_UNKNOWN}


def test_a_flood_drives_out_the_oldest_and_fills_nothing(make: Maker) -> None:
    store = make(limit=10)
    first, second = store.issue(SESSION), store.issue(SESSION)
    for number in range(9):
        store.issue(f"flood {number}")
        assert len(store) <= 10
    assert refusal(store, first) is TokenFault.NONCE_UNKNOWN
    store.take(second, SESSION)


def test_the_clock_must_have_a_time_zone(tmp_path: Path) -> None:
    def naive() -> datetime:
        return START.replace(tzinfo=None)

    with pytest.raises(ValueError, match="time zone"):
        MemoryChallengeStore(clock=naive).issue(SESSION)
    store = SqliteChallengeStore(tmp_path / "challenges", clock=naive)
    with pytest.raises(ValueError, match="time zone"):
        store.issue(SESSION)
    store.close()


def test_of_many_threads_one_takes_it(store: ChallengeStore) -> None:
    nonce = store.issue(SESSION)
    barrier = threading.Barrier(16)

    def attempt(_number: int) -> TokenFault | None:
        barrier.wait()
        try:
            store.take(nonce, SESSION)
        except TokenError as error:
            return error.fault
        return None

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(attempt, range(16)))
    assert answers.count(None) == 1
    assert answers.count(TokenFault.NONCE_TAKEN) == 15


def at_once(program: str, path: Path, first: str = "") -> list[str]:
    """Run a program in four processes that all wait for one word -> what each printed after it."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(first + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # all of them are at the start: now
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    return printed


TAKER = """
import sys
from jpki.authentication import SqliteChallengeStore
from jpki.authentication.errors import TokenError

store = SqliteChallengeStore(sys.argv[1])
nonces = sys.stdin.readline().split()
print("ready", flush=True)
sys.stdin.readline()
for nonce in nonces:
    try:
        store.take(nonce, "one session")
        print(nonce)
    except TokenError as error:
        assert error.fault.value == "nonce-taken", error
"""
OPENER = """
import sys
from jpki.authentication import SqliteChallengeStore

sys.stdin.readline()
print("ready", flush=True)
sys.stdin.readline()
store = SqliteChallengeStore(sys.argv[1])
store.take(store.issue("a session"), "a session")
print(len(store) <= 4)
"""


def test_of_several_processes_on_one_file_one_takes_each_nonce(tmp_path: Path) -> None:
    path = tmp_path / "challenges"
    store = SqliteChallengeStore(path)
    nonces = [store.issue("one session") for _ in range(50)]
    taken = at_once(TAKER, path, " ".join(nonces))
    assert sorted(" ".join(taken).split()) == sorted(nonces)
    store.close()


def test_whoever_looks_a_nonce_up_has_the_file_alone_from_before_he_looks(tmp_path: Path) -> None:
    store = SqliteChallengeStore(tmp_path / "challenges")
    other = sqlite3.connect(tmp_path / "challenges", timeout=0, isolation_level=None)
    with store._file.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    store.close()


def test_several_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    for number in range(3):
        assert at_once(OPENER, tmp_path / f"challenges-{number}") == ["True\n"] * 4


def test_a_restart_forgets_nothing(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "challenges"
    store = SqliteChallengeStore(path, clock=clock)
    taken, waiting = store.issue(SESSION), store.issue(SESSION)
    store.take(taken, SESSION)
    store.close()
    again = SqliteChallengeStore(path, clock=clock)
    assert refusal(again, taken) is TokenFault.NONCE_TAKEN
    again.take(waiting, SESSION)
    again.close()


def test_the_file_is_the_owners_and_holds_neither_nonce_nor_session(tmp_path: Path) -> None:
    path = tmp_path / "challenges"
    store = SqliteChallengeStore(path)
    nonce = store.issue(SESSION)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()
    content = path.read_bytes()
    assert nonce.encode() not in content
    assert SESSION.encode() not in content


def test_a_failure_in_the_middle_takes_nothing(tmp_path: Path) -> None:
    store = SqliteChallengeStore(tmp_path / "challenges")
    nonce = store.issue(SESSION)
    with suppress(RuntimeError), store._file.transaction() as database:
        database.execute("UPDATE challenge SET is_taken = 1")
        raise RuntimeError
    store.take(nonce, SESSION)
    store.close()


def test_after_a_full_disk_it_goes_on(tmp_path: Path) -> None:
    store = SqliteChallengeStore(tmp_path / "challenges")
    nonce = store.issue(SESSION)
    ((pages,),) = store._file._connection.execute("PRAGMA page_count")
    store._file._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        collections.deque((store.issue(SESSION) for _ in range(1000)), maxlen=0)
    store.take(nonce, SESSION)
    store._file._connection.execute("PRAGMA max_page_count = 1000")
    store.issue(SESSION)
    store.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, though long enough to be one " * 20)
    with pytest.raises(sqlite3.Error):
        SqliteChallengeStore(tmp_path / "text")
    with pytest.raises(OSError, match="No such file"):
        SqliteChallengeStore(tmp_path / "nowhere" / "challenges")


class BothStores(RuleBasedStateMachine):
    """Memory and SQLite give the same answers, whatever is asked in whatever order."""

    issued = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.memory = MemoryChallengeStore(clock=self.clock, limit=5)
        self.sqlite = SqliteChallengeStore(":memory:", clock=self.clock, limit=5)

    @rule(target=issued, session=st.sampled_from("ab"))
    def issue(self, session: str) -> tuple[str, str]:
        return self.memory.issue(session), self.sqlite.issue(session)

    @rule(nonces=issued, session=st.sampled_from("ab"))
    def take(self, nonces: tuple[str, str], session: str) -> None:
        answers: list[TokenFault | None] = []
        stores: tuple[ChallengeStore, ChallengeStore] = (self.memory, self.sqlite)
        for store, nonce in zip(stores, nonces, strict=True):
            try:
                store.take(nonce, session)
                answers.append(None)
            except TokenError as error:
                answers.append(error.fault)
        assert answers[0] is answers[1]

    @rule(minutes=st.sampled_from([1, 5, 6, 11]))
    def wait(self, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)

    @invariant()
    def both_are_as_full(self) -> None:
        assert len(self.memory) == len(self.sqlite) <= 5

    def teardown(self) -> None:
        self.sqlite.close()


BothStores.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBothStores = BothStores.TestCase
