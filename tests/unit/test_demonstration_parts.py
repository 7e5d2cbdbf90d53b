"""Parts of the demonstration site: limits, words, refusals, sessions' room."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jpki.authentication.demonstration import application
from jpki.authentication.demonstration.limits import MAX_ADDRESSES, RateLimit
from jpki.authentication.demonstration.refusals import OF_FAULT, Refusal, refusal_of
from jpki.authentication.demonstration.sessions import Account, SessionStore
from jpki.authentication.demonstration.visit import RefusedError
from jpki.authentication.demonstration.words import LANGUAGES, TEXTS, preferred_language
from jpki.authentication.errors import TokenError, TokenFault
from jpki.certificates import Reason

SITE = Path(application.__file__).parent


# --- limits ---------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_lets_so_many_through_and_fills_again() -> None:
    clock = Clock()
    limit = RateLimit(30, clock=clock)
    assert [limit.take("192.0.2.1") for _ in range(30)] == [0.0] * 30
    assert limit.take("192.0.2.1") == pytest.approx(2.0)
    assert limit.take("192.0.2.2") == 0.0
    clock.now += 2
    assert limit.take("192.0.2.1") == 0.0
    assert limit.take("192.0.2.1") > 0
    clock.now += 3600
    assert [limit.take("192.0.2.1") for _ in range(31)].count(0.0) == 30


def test_asking_while_it_is_empty_does_not_make_it_worse() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    limit.take("192.0.2.1")
    waits = [limit.take("192.0.2.1") for _ in range(100)]
    assert waits[-1] == pytest.approx(60.0)


def test_one_customer_with_ipv6_is_one_address() -> None:
    limit = RateLimit(1, clock=Clock())
    assert limit.take("2001:db8::1") == 0.0
    assert limit.take("2001:db8::ffff:2") > 0
    assert limit.take("2001:db8:0:1::1") == 0.0
    assert limit.take("no address") == 0.0


def test_an_ipv4_customer_at_a_socket_for_both_kinds_is_one_of_many() -> None:
    limit = RateLimit(1, clock=Clock())
    assert limit.take("::ffff:192.0.2.1") == 0.0
    assert limit.take("::ffff:192.0.2.2") == 0.0
    assert limit.take("192.0.2.1") > 0


def test_many_addresses_fill_nothing() -> None:
    limit = RateLimit(1, clock=Clock())
    for number in range(MAX_ADDRESSES + 100):
        limit.take(f"host {number}")
    assert len(limit) == MAX_ADDRESSES


# --- words ----------------------------------------------------------------------------------------


def test_every_language_says_everything() -> None:
    assert set(TEXTS) == set(LANGUAGES)
    for texts in TEXTS.values():
        assert set(texts) == set(TEXTS["en"])
        refusals = texts["refusals"]
        assert isinstance(refusals, dict)
        assert set(refusals) == set(Refusal)
        assert all(what and then for what, then in refusals.values())


@given(st.text(max_size=200) | st.from_regex(r"([a-z*-]{1,5}(;q=[0-9.]{0,5})?,? ?){0,9}"))
def test_whatever_a_browser_says_of_its_languages_one_of_ours_is_spoken(accepted: str) -> None:
    assert preferred_language(accepted) in LANGUAGES


def test_the_templates_use_every_text_and_no_other() -> None:
    used: set[str] = set()
    for path in (SITE / "templates").iterdir():
        used |= set(re.findall(r"text\.([a-z_]+)", path.read_text(encoding="utf-8")))
    assert used == set(TEXTS["en"])


def test_every_refusal_that_the_script_names_has_a_page() -> None:
    script = (SITE / "static" / "login.js").read_text(encoding="utf-8")
    named = set(re.findall(r': "([a-z-]+)",', script)) | {"card-failed"}
    assert {"cancelled", "no-extension"} <= named <= {refusal.value for refusal in Refusal}


# --- refusals -------------------------------------------------------------------------------------


def test_every_fault_and_every_reason_has_a_page() -> None:
    assert set(OF_FAULT) == set(TokenFault)
    for reason in Reason:
        page = refusal_of(TokenError(TokenFault.CERTIFICATE, reasons=(reason,)))
        assert page not in {Refusal.NO_TOKEN, Refusal.OTHER_SITE}
    both = (Reason.EXPIRED, Reason.REVOKED)
    assert refusal_of(TokenError(TokenFault.CERTIFICATE, reasons=both)) is Refusal.REVOKED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["nonce", "token", "x"]), inner)
    ),
    max_leaves=20,
)


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_a_login_or_is_refused(body: bytes) -> None:
    try:
        nonce, token = application._login_of(body)
    except RefusedError as error:
        assert (error.refusal, error.status) == (Refusal.NO_TOKEN, 400)  # noqa: PT017
    else:
        assert isinstance(nonce, str)
        assert isinstance(token, str)


# --- sessions -------------------------------------------------------------------------------------


ACCOUNT = Account(
    subject_id="a" * 64,
    certificate_id="b" * 64,
    prefecture="Mihon-ken",
    municipality="Mihon-shi",
    not_valid_after="2030-03-31",
    is_test=True,
    revocation_checked=False,
)


def test_a_flood_of_visitors_drives_out_visitors_and_nobody_who_is_logged_in() -> None:
    store = SessionStore(":memory:", lambda: datetime(2026, 6, 1, tzinfo=UTC), limit=10)
    somebody = store.open(account=ACCOUNT)
    visitor = store.open()
    for _ in range(30):
        store.open()
    assert len(store) == 10
    assert store.find(somebody.id) == somebody
    assert store.find(visitor.id) is None
    store.close()


def test_sessions_that_are_over_are_cleaned_away() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    store = SessionStore(":memory:", lambda: now)
    for _ in range(5):
        store.open()
    now += timedelta(hours=1)
    store.open()
    assert len(store) == 1
    store.close()


def test_what_may_be_logged_of_a_session_is_neither_its_id_nor_its_place() -> None:
    store = SessionStore(":memory:", lambda: datetime(2026, 6, 1, tzinfo=UTC))
    session = store.open(account=ACCOUNT)
    assert session.id not in repr(session)
    assert "Mihon" not in repr(session)
    store.close()
