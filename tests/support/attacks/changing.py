"""Cases that differ from the sound certificate in some of its extensions."""

from support.attacks.case import Case, Threat, login_ca
from support.forging import (
    by_rsa,
    ca_of,
    fields_of,
    oid,
    seq,
)
from support.odd_certificates import tlv

from jpki.certificates import Purpose

ARC = "1.2.392.200149.8.5.1"
CARD, PHONE, TEST, LOGIN = (f"{ARC}.{number}" for number in ("1.20", "1.40", "0.20", "3.30"))
USES = "OpenSSL is content with digitalSignature or nonRepudiation"


def usage(bits: str) -> bytes:
    """A keyUsage; bits from digitalSignature on, as RFC 5280 4.2.1.3 numbers them."""
    unused = -len(bits) % 8
    octets = int(bits + "0" * unused, 2).to_bytes((len(bits) + unused) // 8)
    return tlv(0x03, bytes([unused]) + octets)


def uses(*dotted: str) -> bytes:
    return seq(*map(oid, dotted))


def changed(
    threat: Threat,
    name: str,
    *changes: tuple[str, bytes | None] | tuple[str, bytes | None, bytes],
    base: str = "signature",
    **expected: object,
) -> Case:
    """A case whose extensions are changed; nothing expected: a control."""

    def leaf() -> bytes:
        fields = fields_of(base)
        for change in changes:
            fields = fields.with_extension(*change)
        return fields.signed(by_rsa(ca_of(base)))

    if base == "authentication":
        expected = {"purpose": Purpose.LOGIN, "anchors": (login_ca,), **expected}
    return Case(threat=threat, name=name, leaf=leaf, **expected)  # type: ignore[arg-type]


def value(dotted: str, base: str = "signature") -> bytes:
    return fields_of(base).value_of(dotted)
