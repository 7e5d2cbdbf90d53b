"""The tree of errors."""

import copy
import pickle

import pytest

from apdu import errors
from apdu.errors import CardError, ExchangeInterrupted, PcscFault, TransportError

SAMPLES = [
    errors.PcscUnavailableError(PcscFault.UNKNOWN, 0x2787B94B),
    errors.NoReaderError("acr", ("Virtual PCD 00 00",)),
    errors.NoReaderError(),
    errors.NoCardError(("Virtual PCD 00 00",)),
    errors.CardInUseError("Virtual PCD 00 00"),
    errors.TransportError("PC/SC code 0x8010002F"),
    errors.CardRemovedError(),
    errors.CardResetError(),
    errors.CardSilentError(),
    errors.StatusWordError(0x2A, 0x6982),
    errors.MalformedResponseError("the tag is cut off", 3),
]


def _all_subclasses(cls: type[CardError]) -> set[type[CardError]]:
    below = set(cls.__subclasses__())
    return below.union(*(_all_subclasses(sub) for sub in below))


def test_the_samples_are_all_errors_there_are() -> None:
    ours = {cls for cls in _all_subclasses(CardError) if cls.__module__ == "apdu.errors"}
    assert ours == {type(error) for error in SAMPLES}


def test_every_error_has_a_code_of_its_own() -> None:
    classes = {type(error) for error in SAMPLES} | {CardError}
    assert len({cls.code for cls in classes}) == len(classes)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: error.code)
def test_an_error_survives_pickling_and_copying(error: CardError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 (own data)
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: error.code)
def test_the_text_is_one_english_sentence(error: CardError) -> None:
    assert str(error).isascii()
    assert str(error)
    assert "\n" not in str(error)


def test_an_unknown_code_of_the_service_is_shown_in_hex() -> None:
    assert "0x2787B94B" in str(SAMPLES[0])


def test_an_interruption_is_no_error_and_does_not_show_the_answer() -> None:
    interrupted = ExchangeInterrupted(b"\x63\xc2")
    assert not isinstance(interrupted, Exception)
    assert interrupted.response == b"\x63\xc2"
    assert "63" not in repr(interrupted)
    assert ExchangeInterrupted().response is None


def test_what_leaves_the_outcome_unknown_is_a_transport_error() -> None:
    unknown = {type(error) for error in SAMPLES if isinstance(error, TransportError)}
    assert unknown == {
        errors.TransportError,
        errors.CardRemovedError,
        errors.CardResetError,
        errors.CardSilentError,
    }
