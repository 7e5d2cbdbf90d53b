"""How a certificate is shown: personal parts only on request."""

import re
from collections.abc import Iterator
from typing import Final

from cli.facts import utc_text
from cli.printable import printable
from cli.times import local_time
from cli.translation import _
from jpki.certificates import CertificateKind, CertificateProfile, Holder

MASK: Final = "***"
"""Stands for what is there and not shown."""


def certificate_as_json(summary: CertificateProfile, *, reveal: bool) -> dict[str, object]:
    """The object ``certificate`` or ``signer`` of docs/json.md."""
    return {
        "kind": summary.kind.value,
        "subject": _subject(summary, reveal=reveal),
        "issuer": summary.issuer,
        "serial_number": f"{summary.serial_number:x}" if reveal else MASK,
        "fingerprint_sha256": summary.fingerprint_sha256,
        "not_valid_before": utc_text(summary.not_valid_before),
        "not_valid_after": utc_text(summary.not_valid_after),
        "holder": None if summary.holder is None else _holder(summary.holder, reveal=reveal),
    }


def _subject(summary: CertificateProfile, *, reveal: bool) -> str:
    """The subject of a holder's certificate has a common name made of the card's own number."""
    is_ca = summary.kind in {CertificateKind.SIGNATURE_CA, CertificateKind.AUTHENTICATION_CA}
    if reveal or is_ca:
        return summary.subject
    return ",".join(
        f"CN={MASK}" if part.startswith("CN=") else part
        for part in re.split(r"(?<!\\),", summary.subject)
    )


def _holder(holder: Holder, *, reveal: bool) -> dict[str, object]:
    values = {
        "name": holder.name,
        "birth_date": None if holder.birth_date is None else holder.birth_date.isoformat(),
        "sex": None if holder.sex is None else holder.sex.value,
        "address": holder.address,
    }
    if reveal:
        return dict(values)
    return {key: None if value is None else MASK for key, value in values.items()}


def certificate_as_text(summary: CertificateProfile, *, reveal: bool) -> Iterator[str]:
    """Lines for a person."""
    shown = certificate_as_json(summary, reveal=reveal)
    yield _("Kind:        {kind}").format(kind=kind_text(summary.kind))
    yield _("Subject:     {subject}").format(subject=printable(str(shown["subject"])))
    yield _("Issuer:      {issuer}").format(issuer=printable(summary.issuer))
    yield _("Serial:      {serial}").format(serial=shown["serial_number"])
    yield _("Valid from:  {time}").format(time=local_time(summary.not_valid_before))
    yield _("Valid until: {time}").format(time=local_time(summary.not_valid_after))
    yield _("SHA-256:     {fingerprint}").format(fingerprint=summary.fingerprint_sha256)
    if summary.holder is not None:
        yield from holder_as_text(summary.holder, reveal=reveal)


def holder_as_text(holder: Holder, *, reveal: bool) -> Iterator[str]:
    """The four attributes."""
    shown = {
        key: "-" if value is None else printable(str(value))
        for key, value in _holder(holder, reveal=reveal).items()
    }
    yield _("Name:        {name}").format(name=shown["name"])
    yield _("Birth date:  {date}").format(date=shown["birth_date"])
    yield _("Sex:         {sex}").format(sex=_sex(shown["sex"]))
    yield _("Address:     {address}").format(address=shown["address"])
    if not reveal:
        yield _("({mask}: shown with --reveal)").format(mask=MASK)


def _sex(word: str) -> str:
    words = {"male": _("male"), "female": _("female"), "other": _("other")}
    return words.get(word, word)


def kind_text(kind: CertificateKind) -> str:
    """What a certificate is for."""
    match kind:
        case CertificateKind.SIGNATURE:
            return _("signature certificate (署名用電子証明書)")
        case CertificateKind.AUTHENTICATION:
            return _("authentication certificate (利用者証明用電子証明書)")
        case CertificateKind.SIGNATURE_CA:
            return _("CA of signature certificates")
        case CertificateKind.AUTHENTICATION_CA:
            return _("CA of authentication certificates")
        case CertificateKind.UNKNOWN:
            return _("not a certificate of a My Number Card")
