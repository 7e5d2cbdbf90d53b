"""How the card's certificates are listed, in ``status`` and in ``cert list``."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from cli.facts import json_value
from cli.times import local_time
from cli.translation import _
from jpki.files import CertificateName
from jpki.lifecycle import last_day, renewal_opens
from jpki.overview import CertificateState

HOLDER_CERTIFICATES: Final = frozenset({CertificateName.SIGNATURE, CertificateName.AUTHENTICATION})


def certificates_as_json(certificates: Sequence[CertificateState]) -> list[dict[str, object]]:
    """The list ``certificates`` of docs/json.md."""
    return [
        {
            "name": state.name.value,
            "present": state.present,
            "not_valid_before": json_value(state.not_valid_before),
            "not_valid_after": json_value(state.not_valid_after),
            "renewal_opens": None if (day := _renewal_opens(state)) is None else day.isoformat(),
            "needs_pin": state.needs_pin,
        }
        for state in certificates
    ]


def certificates_as_text(certificates: Sequence[CertificateState]) -> Iterator[str]:
    """One line for each certificate."""
    for state in certificates:
        yield f"  {state.name.value}: {_state(state)}"


def _state(state: CertificateState) -> str:
    if state.present is False:
        return _("not on this card")
    if state.not_valid_after is None:
        return _("there; its dates can be read with its PIN only ('jpki cert show {name}')").format(
            name=state.name.value
        )
    text = _("valid until {time}").format(time=local_time(state.not_valid_after))
    if (day := _renewal_opens(state)) is None:
        return text
    return text + _("; the city office renews it from {day} on").format(day=day.isoformat())


def _renewal_opens(state: CertificateState) -> date | None:
    """The holder renews the holder's certificates; those of the CAs are nothing to act on."""
    if state.not_valid_after is None or state.name not in HOLDER_CERTIFICATES:
        return None
    return renewal_opens(last_day(state.not_valid_after))
