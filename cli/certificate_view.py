"""How a certificate is shown: personal parts only on request."""

import re
from collections.abc import Iterator
from typing import Final

from cli.certificate_words import (
    attribute_text,
    era_date_text,
    fault_text,
    kind_text,
    medium_text,
    sex_text,
)
from cli.facts import utc_text
from cli.printable import printable
from cli.times import japan_time
from cli.translation import _
from jpki.certificates import CertificateProfile, Holder, Medium

MASK: Final = "***"
"""Stands for what is there and not shown."""
IMPERSONAL: Final = frozenset({"C", "ST", "L", "O", "OU", "DC"})
"""Attributes of a name that are no person's. A common name holds the card's own number."""
RFC_4514_PART: Final = re.compile(r"([,+]?)([^=,+\\]*)=((?:\\.|[^,+\\])*)", re.DOTALL)


def certificate_as_json(profile: CertificateProfile, *, reveal: bool) -> dict[str, object]:
    """The object ``certificate`` or ``signer`` of docs/json.md."""
    return {
        "kind": profile.kind.value,
        "medium": None if profile.medium is None else profile.medium.value,
        "test": profile.is_test,
        "pinned": None if profile.pin is None else profile.pin.name,
        "subject": subject_text(profile, reveal=reveal),
        "issuer": issuer_text(profile, reveal=reveal),
        "serial_number": f"{profile.serial_number:x}" if reveal else MASK,
        "fingerprint_sha256": profile.fingerprint_sha256,
        "not_valid_before": utc_text(profile.not_valid_before),
        "not_valid_after": utc_text(profile.not_valid_after),
        "policies": list(profile.policies),
        "municipality": profile.municipality,
        "prefecture": profile.prefecture,
        "holder": _holder_as_json(profile.holder, reveal=reveal),
    }


def subject_text(profile: CertificateProfile, *, reveal: bool) -> str:
    """The subject; that of a holder's certificate without what is the holder's own."""
    return profile.subject if reveal or profile.kind.is_ca else masked_name(profile.subject)


def issuer_text(profile: CertificateProfile, *, reveal: bool) -> str:
    """The issuer; a certificate that signed itself names its subject twice."""
    is_own = profile.issuer == profile.subject
    return subject_text(profile, reveal=reveal) if is_own else profile.issuer


def masked_name(name: str) -> str:
    """A name as of RFC 4514 with all but places and organizations masked."""
    return RFC_4514_PART.sub(_mask_part, name)


def _mask_part(part: re.Match[str]) -> str:
    separator, kind, value = part.groups()
    return f"{separator}{kind}={value if kind in IMPERSONAL else MASK}"


def _holder_as_json(holder: Holder | None, *, reveal: bool) -> dict[str, object] | None:
    if holder is None:
        return None

    def shown(value: object) -> object:
        return value if reveal or value is None else MASK

    return {
        "name": shown(holder.name),
        "birth_date": shown(None if holder.birth_date is None else holder.birth_date.isoformat()),
        "era": shown(None if holder.era is None else holder.era.value),
        "sex": shown(None if holder.sex is None else holder.sex.value),
        "address": shown(holder.address),
        "substituted": {
            "name": _positions(holder.substituted_in_name),
            "address": _positions(holder.substituted_in_address),
        },
        "others": [{"oid": other.oid, "text": shown(other.text)} for other in holder.others],
        "faults": [
            {"attribute": str(fault.attribute), "fault": fault.kind.value}
            for fault in holder.faults
        ],
    }


def _positions(positions: tuple[int, ...] | None) -> list[int] | None:
    return None if positions is None else list(positions)


def certificate_as_text(profile: CertificateProfile, *, reveal: bool) -> Iterator[str]:
    """Lines for a person."""
    yield _("Kind:        {kind}").format(kind=kind_text(profile.kind))
    if profile.is_test:
        yield _("             TEST: of a test CA or a virtual card, so nobody's")
    if profile.medium is not None:
        yield _("Medium:      {medium}").format(medium=medium_text(profile.medium))
    yield _("Subject:     {subject}").format(
        subject=printable(subject_text(profile, reveal=reveal))
    )
    yield _("Issuer:      {issuer}").format(issuer=printable(issuer_text(profile, reveal=reveal)))
    yield _("Serial:      {serial}").format(serial=f"{profile.serial_number:x}" if reveal else MASK)
    yield _("Valid from:  {time}").format(time=japan_time(profile.not_valid_before))
    yield _("Valid until: {time}").format(time=japan_time(profile.not_valid_after))
    yield _("SHA-256:     {fingerprint}").format(fingerprint=profile.fingerprint_sha256)
    if profile.kind.is_ca:
        yield _pin_text(profile)
    for policy in profile.policies:
        yield _("Policy:      {oid}").format(oid=policy)
    places = [place for place in (profile.municipality, profile.prefecture) if place is not None]
    if places:
        yield _("Issued in:   {place}").format(place=printable(", ".join(places)))
    if profile.holder is not None:
        yield from holder_as_text(profile.holder, reveal=reveal)
    elif not reveal:  # the serial number, at least
        yield _masked_text()


def _pin_text(profile: CertificateProfile) -> str:
    if profile.pin is None:
        return _("Pinned:      no; it is not a CA of J-LIS that this program knows")
    return _("Pinned:      yes, as {name}").format(name=profile.pin.name)


def holder_as_text(holder: Holder, *, reveal: bool) -> Iterator[str]:
    """The four attributes, and what is odd about them."""

    def shown(text: str | None) -> str:
        if text is None:
            return "-"
        return printable(text) if reveal else MASK

    yield _("Name:        {name}").format(name=shown(holder.name))
    yield _("Birth date:  {date}").format(date=shown(era_date_text(holder.birth_date, holder.era)))
    yield _("Sex:         {sex}").format(sex=shown(sex_text(holder.sex)))
    yield _("Address:     {address}").format(address=shown(holder.address))
    for other in holder.others:
        yield _("Attribute:   {oid}: {text}").format(oid=other.oid, text=shown(other.text))
    yield from _oddities_as_text(holder, reveal=reveal)
    if not reveal:
        yield _masked_text()


def remarks_as_text(profile: CertificateProfile) -> Iterator[str]:
    """What a verdict alone would hide, without what is personal: a phone, odd attributes."""
    if profile.medium is Medium.SMARTPHONE:
        yield _("Medium:      {medium}").format(medium=medium_text(profile.medium))
    if profile.holder is not None:
        yield from _oddities_as_text(profile.holder, reveal=False)


def _oddities_as_text(holder: Holder, *, reveal: bool) -> Iterator[str]:
    substitutes = [
        *_substitutes(_("name"), holder.name, holder.substituted_in_name, reveal=reveal),
        *_substitutes(_("address"), holder.address, holder.substituted_in_address, reveal=reveal),
    ]
    if substitutes:
        yield _("Substitutes: {characters}; the residents' register has others there").format(
            characters=", ".join(substitutes)
        )
    for fault in holder.faults:
        template = (
            _("Malformed:   {attribute}: {fault}")
            if fault.kind.is_structural
            else _("Odd:         {attribute}: {fault}")
        )
        yield template.format(
            attribute=attribute_text(fault.attribute), fault=fault_text(fault.kind)
        )


def _substitutes(
    what: str, text: str | None, positions: tuple[int, ...] | None, *, reveal: bool
) -> Iterator[str]:
    """Which characters of a text, counted from 1."""
    for position in positions or ():
        character = f" ({printable(text[position])})" if reveal and text is not None else ""
        yield f"{what} {position + 1}{character}"


def _masked_text() -> str:
    return _("({mask}: shown with --reveal)").format(mask=MASK)
