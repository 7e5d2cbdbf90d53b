"""The thread for calls that may never return."""

import gc
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from apdu.errors import ExchangeInterrupted
from apdu.transports import worker as worker_module
from apdu.transports.base import Notice
from apdu.transports.worker import Worker, WorkerTimeoutError

LONG_S = 20.0
ANSWER = b"\x63\xc2"


class Stuck:
    """A call that returns when it is let go; can press Ctrl-C as soon as it runs."""

    def __init__(self, *, ctrl_c: bool = False, failure: Exception | None = None) -> None:
        self.started = threading.Event()
        self.let_go = threading.Event()
        self._ctrl_c = ctrl_c
        self._failure = failure

    def __call__(self) -> bytes:
        self.started.set()
        if self._ctrl_c:
            press_ctrl_c()
        assert self.let_go.wait(LONG_S)
        if self._failure:
            raise self._failure
        return ANSWER


def ignore(_notice: Notice) -> None:
    """Tell nobody."""


def press_ctrl_c() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


@pytest.fixture
def cleaned_up() -> threading.Event:
    return threading.Event()


@pytest.fixture
def worker(cleaned_up: threading.Event) -> Iterator[Worker]:
    worker = Worker(name="test", clean_up=cleaned_up.set)
    yield worker
    worker.stop()


def test_results_and_exceptions_come_back(worker: Worker) -> None:
    def fail() -> None:
        raise LookupError

    assert worker.call(lambda: 5, timeout_s=LONG_S) == 5
    assert worker.exchange(lambda: ANSWER, timeout_s=LONG_S, notify=ignore) == ANSWER
    with pytest.raises(LookupError):
        worker.call(fail, timeout_s=LONG_S)
    assert not worker.is_abandoned


def test_a_timeout_error_of_the_call_is_not_taken_for_our_deadline(worker: Worker) -> None:
    def fail() -> None:
        raise TimeoutError("of the call")

    with pytest.raises(TimeoutError, match="of the call"):
        worker.call(fail, timeout_s=LONG_S)
    assert not worker.is_abandoned


def test_a_call_that_does_not_return_is_abandoned_and_nothing_queues_behind_it(
    worker: Worker, cleaned_up: threading.Event
) -> None:
    stuck = Stuck()
    calls: list[int] = []
    with pytest.raises(WorkerTimeoutError):
        worker.call(stuck, timeout_s=0.01)
    with pytest.raises(WorkerTimeoutError):
        worker.call(lambda: calls.append(1), timeout_s=LONG_S)
    assert not cleaned_up.is_set()
    stuck.let_go.set()
    worker.join(timeout_s=LONG_S)
    assert cleaned_up.is_set()
    assert calls == []


def test_a_worker_that_was_stopped_in_peace_does_not_clean_up(
    worker: Worker, cleaned_up: threading.Event
) -> None:
    worker.stop()
    worker.join(timeout_s=LONG_S)
    assert not cleaned_up.is_set()


def test_ctrl_c_ends_a_call_at_once_and_its_thread_cleans_up_later(
    worker: Worker, cleaned_up: threading.Event
) -> None:
    stuck = Stuck(ctrl_c=True)
    with pytest.raises(KeyboardInterrupt) as caught:
        worker.call(stuck, timeout_s=LONG_S)
    assert caught.type is KeyboardInterrupt
    assert worker.is_abandoned
    stuck.let_go.set()
    assert cleaned_up.wait(LONG_S)


def test_ctrl_c_during_an_exchange_waits_for_its_answer(worker: Worker) -> None:
    stuck = Stuck(ctrl_c=True)
    notices: list[Notice] = []

    def notify(notice: Notice) -> None:
        notices.append(notice)
        stuck.let_go.set()

    with pytest.raises(ExchangeInterrupted) as caught:
        worker.exchange(stuck, timeout_s=LONG_S, notify=notify)
    assert caught.value.response == ANSWER
    assert notices == [Notice.INTERRUPTED]
    assert not worker.is_abandoned


def test_a_second_ctrl_c_ends_the_wait_at_once(worker: Worker) -> None:
    stuck = Stuck(ctrl_c=True)
    with pytest.raises(ExchangeInterrupted) as caught:
        worker.exchange(stuck, timeout_s=LONG_S, notify=lambda _: press_ctrl_c())
    assert caught.value.response is None
    assert worker.is_abandoned
    stuck.let_go.set()


def test_the_wait_after_ctrl_c_has_an_end(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "GRACE_S", 0.01)
    stuck = Stuck(ctrl_c=True)
    with pytest.raises(ExchangeInterrupted) as caught:
        worker.exchange(stuck, timeout_s=LONG_S, notify=ignore)
    assert caught.value.response is None
    assert worker.is_abandoned
    stuck.let_go.set()


def test_an_exchange_that_fails_after_ctrl_c_has_no_answer(worker: Worker) -> None:
    stuck = Stuck(ctrl_c=True, failure=ConnectionError())
    with pytest.raises(ExchangeInterrupted) as caught:
        worker.exchange(stuck, timeout_s=LONG_S, notify=lambda _: stuck.let_go.set())
    assert caught.value.response is None
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_ctrl_c_before_a_command_went_out_is_only_ctrl_c(worker: Worker) -> None:
    stuck = Stuck()
    sent: list[bytes] = []
    other = threading.Thread(target=worker.call, args=(stuck,), kwargs={"timeout_s": LONG_S})
    other.start()
    assert stuck.started.wait(LONG_S)

    def send() -> bytes:
        sent.append(b"never")
        return ANSWER

    timer = threading.Timer(0.05, press_ctrl_c)
    timer.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        worker.exchange(send, timeout_s=LONG_S, notify=ignore)
    assert caught.type is KeyboardInterrupt
    stuck.let_go.set()
    other.join(LONG_S)
    assert worker.call(lambda: 5, timeout_s=LONG_S) == 5
    assert sent == []


def test_a_deadline_holds_where_ctrl_c_is_ignored(worker: Worker) -> None:
    stuck = Stuck(ctrl_c=True)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(WorkerTimeoutError):
            worker.exchange(stuck, timeout_s=0.05, notify=ignore)
    finally:
        signal.signal(signal.SIGINT, before)
        stuck.let_go.set()


def test_another_thread_than_the_main_one_can_wait(worker: Worker) -> None:
    outcomes: list[object] = []
    stuck = Stuck()

    def work() -> None:
        outcomes.append(worker.exchange(lambda: ANSWER, timeout_s=LONG_S, notify=ignore))
        try:
            worker.call(stuck, timeout_s=0.01)
        except WorkerTimeoutError as error:
            outcomes.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(LONG_S)
    assert outcomes == [ANSWER, WorkerTimeoutError]
    stuck.let_go.set()


def test_a_slow_card_is_announced_once_and_may_still_answer(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "SLOW_AFTER_S", 0.01)
    stuck = Stuck()
    notices: list[Notice] = []

    def notify(notice: Notice) -> None:
        notices.append(notice)
        stuck.let_go.set()

    assert worker.exchange(stuck, timeout_s=LONG_S, notify=notify) == ANSWER
    assert notices == [Notice.CARD_SLOW]


def test_a_quick_exchange_announces_nothing(worker: Worker) -> None:
    notices: list[Notice] = []
    worker.exchange(lambda: ANSWER, timeout_s=LONG_S, notify=notices.append)
    assert notices == []


def test_the_thread_does_not_keep_the_last_result(worker: Worker) -> None:
    class Result:
        pass

    reference = weakref.ref(worker.call(Result, timeout_s=LONG_S))
    worker.call(lambda: None, timeout_s=LONG_S)
    gc.collect()
    assert reference() is None


def test_a_stuck_thread_lets_the_interpreter_end_in_silence() -> None:
    program = (
        "import threading\n"
        "from apdu.transports.worker import Worker, WorkerTimeoutError\n"
        "worker = Worker(name='test', clean_up=lambda: print('cleaned up'))\n"
        "try: worker.call(threading.Event().wait, timeout_s=0.01)\n"
        "except WorkerTimeoutError: print('late')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        timeout=LONG_S,
        check=False,
        text=True,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "late\n", "")
