"""How the card's certificates are listed, in ``status`` and in ``cert list``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cli.facts import json_value
from cli.help_topics import HelpTopic, pointer, remedy
from cli.times import japan_time
from cli.translation import _
from jpki.files import CertificateName
from jpki.lifecycle import RenewalPhase, day_in_japan, renewal_opens, renewal_phase
from jpki.overview import CertificateState


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWarning:
    """It is time to renew a certificate, or too late."""

    name: CertificateName
    phase: RenewalPhase
    expiry: date
    days_left: int

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        return {"certificate": self.name.value, "renewal": self.phase.value}

    def as_text(self) -> str:
        """For people, with the remedy."""
        text = _("The {name} certificate is valid until {day}; days left: {count}.")
        if self.phase is RenewalPhase.EXPIRED:
            text = _("The {name} certificate expired on {day}.")
        text = text.format(name=self.name.value, day=self.expiry, count=self.days_left)
        return f"{text} {remedy(HelpTopic.EXPIRED)} {pointer(HelpTopic.EXPIRED)}"


def certificate_warnings(
    certificates: Sequence[CertificateState], today: date
) -> tuple[CertificateWarning, ...]:
    """What the holder should act on."""
    return tuple(
        CertificateWarning(
            name=state.name, phase=phase, expiry=expiry, days_left=(expiry - today).days
        )
        for state in certificates
        if (expiry := _expiry(state)) is not None
        and (phase := renewal_phase(expiry, today)) is not RenewalPhase.NOT_OPEN
    )


def certificates_as_json(certificates: Sequence[CertificateState]) -> list[dict[str, object]]:
    """The list ``certificates`` of docs/json.md."""
    return [
        {
            "name": state.name.value,
            "present": state.present,
            "not_valid_before": json_value(state.not_valid_before),
            "not_valid_after": json_value(state.not_valid_after),
            "renewal_opens": None
            if (expiry := _expiry(state)) is None
            else renewal_opens(expiry).isoformat(),
            "needs_pin": state.needs_pin,
        }
        for state in certificates
    ]


def certificates_as_text(
    certificates: Sequence[CertificateState], today: date | None = None
) -> Iterator[str]:
    """One line for each certificate; what to do now is said only if it is known what day it is."""
    for state in certificates:
        yield f"  {state.name.value}: {_state(state, today)}"


def _state(state: CertificateState, today: date | None) -> str:
    if state.present is False:
        return _("not on this card")
    if state.not_valid_after is None:
        return _("there; its dates can be read with its PIN only ('jpki cert show {name}')").format(
            name=state.name.value
        )
    text = _("valid until {time}").format(time=japan_time(state.not_valid_after))
    if (expiry := _expiry(state)) is None:
        return text
    match None if today is None else renewal_phase(expiry, today):
        case RenewalPhase.EXPIRED:
            return text + _("; it has EXPIRED: have it renewed at the city office")
        case RenewalPhase.OPEN:
            return text + _("; RENEW IT NOW at the city office")
        case _:
            return text + _("; the city office renews it from {day} on").format(
                day=renewal_opens(expiry).isoformat()
            )


def _expiry(state: CertificateState) -> date | None:
    """The holder renews the holder's certificates; those of the CAs are nothing to act on."""
    if state.not_valid_after is None or state.name.is_ca:
        return None
    return day_in_japan(state.not_valid_after)
