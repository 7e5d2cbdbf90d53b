"""How a certificate names its issuer: by name, key identifier, serial number."""

from cryptography import x509
from support.forging import (
    PRINTABLE_STRING,
    attribute,
    integer,
    name,
    seq,
)
from support.odd_certificates import tlv
from support.pki import (
    AGENCY,
    SIGNATURE_UNIT,
    load_key,
)

COMMON_NAME, COUNTRY, ORGANIZATION, UNIT = "2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.11"


def key_identifier(key: str) -> bytes:
    public = load_key(key).public_key()
    return x509.SubjectKeyIdentifier.from_public_key(public).digest


def ca_name(
    *,
    organization: bytes | None = None,
    unit: bytes | None = None,
    agency: bytes | None = None,
    country: bytes | None = None,
) -> bytes:
    """The name of the signature CA, one part of it changed."""
    return name(
        (country or attribute(COUNTRY, "JP", PRINTABLE_STRING),),
        (organization or attribute(ORGANIZATION, "JPKI-TEST"),),
        (unit or attribute(UNIT, SIGNATURE_UNIT),),
        (agency or attribute(UNIT, AGENCY),),
    )


def identifier(
    key: str | None = None, issuer: bytes | None = None, serial_number: int | None = None
) -> bytes:
    """An authorityKeyIdentifier."""
    return seq(
        b"" if key is None else tlv(0x80, key_identifier(key)),
        b"" if issuer is None else tlv(0xA1, tlv(0xA4, issuer)),
        b"" if serial_number is None else tlv(0x82, integer(serial_number)[2:]),
    )
