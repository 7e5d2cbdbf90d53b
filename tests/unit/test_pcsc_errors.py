"""The table of PC/SC return codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcard import scard  # noqa: TID251 (judges our table)

from apdu import errors
from apdu.errors import CardError, PcscFault, PcscUnavailableError
from apdu.transports.pcsc_errors import _KINDS, error_for

PREFIXES = ("SCARD_E_", "SCARD_F_", "SCARD_P_", "SCARD_W_")
NAMES = [name for name in dir(scard) if name.startswith(PREFIXES)]
READER = "Virtual PCD 00 00"


def _code(name: str) -> int:
    return int(getattr(scard, name)) & 0xFFFFFFFF


@pytest.mark.parametrize("name", NAMES)
def test_every_code_that_pyscard_knows_is_in_the_table(name: str) -> None:
    assert _code(name) in _KINDS


def test_pyscard_does_name_codes() -> None:
    assert len(NAMES) > 50


@pytest.mark.parametrize(
    ("name", "error", "in_exchange"),
    [
        ("SCARD_E_NO_SERVICE", errors.PcscUnavailableError, errors.TransportError),
        ("SCARD_E_SERVICE_STOPPED", errors.PcscUnavailableError, errors.TransportError),
        ("SCARD_W_SECURITY_VIOLATION", errors.PcscUnavailableError, errors.TransportError),
        ("SCARD_E_INVALID_HANDLE", errors.PcscUnavailableError, errors.TransportError),
        ("SCARD_E_NO_READERS_AVAILABLE", errors.NoReaderError, errors.CardRemovedError),
        ("SCARD_E_UNKNOWN_READER", errors.NoReaderError, errors.CardRemovedError),
        ("SCARD_E_READER_UNAVAILABLE", errors.NoReaderError, errors.CardRemovedError),
        ("SCARD_E_NO_SMARTCARD", errors.NoCardError, errors.CardRemovedError),
        ("SCARD_W_REMOVED_CARD", errors.CardRemovedError, errors.CardRemovedError),
        ("SCARD_W_RESET_CARD", errors.CardResetError, errors.CardResetError),
        ("SCARD_W_UNPOWERED_CARD", errors.CardSilentError, errors.CardResetError),
        ("SCARD_W_UNRESPONSIVE_CARD", errors.CardSilentError, errors.CardSilentError),
        ("SCARD_E_TIMEOUT", errors.CardSilentError, errors.CardSilentError),
        ("SCARD_E_SHARING_VIOLATION", errors.CardInUseError, errors.CardInUseError),
        ("SCARD_E_NOT_TRANSACTED", errors.TransportError, errors.TransportError),
        ("SCARD_F_COMM_ERROR", errors.PcscUnavailableError, errors.TransportError),
        ("SCARD_E_PROTO_MISMATCH", errors.TransportError, errors.TransportError),
    ],
)
def test_a_code_means_this_outside_and_that_inside_an_exchange(
    name: str, error: type[CardError], in_exchange: type[CardError]
) -> None:
    assert type(error_for(_code(name), reader=READER)) is error
    assert type(error_for(_code(name), reader=READER, in_exchange=True)) is in_exchange


def test_a_failure_that_is_about_no_reader_is_one_of_the_service() -> None:
    error = error_for(_code("SCARD_E_CANCELLED"), reader=None)
    assert isinstance(error, PcscUnavailableError)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x8010001D, PcscFault.NO_SERVICE),
        (0x8010006A, PcscFault.ACCESS_DENIED),
        (0x2787B94B, PcscFault.UNKNOWN),  # what libpcsclite made of a service that answered junk
        (0xDEADBEEF, PcscFault.UNKNOWN),
    ],
)
def test_a_service_fault_has_its_reason_and_its_code(code: int, reason: PcscFault) -> None:
    error = error_for(code, reader=None)
    assert isinstance(error, PcscUnavailableError)
    assert (error.reason, error.hresult) == (reason, code)
    assert f"0x{code:08X}" in str(error)


@given(st.one_of(st.integers(1, 0xFFFFFFFF), st.sampled_from(sorted(_KINDS))))
def test_in_an_exchange_only_a_busy_card_is_known_to_have_seen_nothing(code: int) -> None:
    error = error_for(code, reader=READER, in_exchange=True)
    assert isinstance(error, errors.TransportError | errors.CardInUseError)
