"""Issuers' names that look the same: RFC 5280 7.1 lets some match, here the bytes do."""

from support.attacks.case import Case, Der, Threat
from support.attacks.naming import COUNTRY, ORGANIZATION, UNIT, ca_name
from support.forging import (
    PRINTABLE_STRING,
    attribute,
    forge,
    name,
    seq,
)
from support.odd_certificates import tlv
from support.pki import (
    AGENCY,
    AUTHENTICATION_UNIT,
    SIGNATURE_UNIT,
)

from jpki.certificates import Reason

FORGIVING = "OpenSSL compares names as RFC 5280 7.1 allows: whatever the type, case and spaces"


def named(changed: bytes) -> Der:
    return lambda: forge(issuer=changed)


def name_case(name_: str, changed: bytes, openssl: int, why: str = "") -> Case:
    return Case(
        threat=Threat.NAMES,
        name=name_,
        leaf=named(changed),
        reasons=(Reason.NO_ANCHOR,),
        openssl=openssl,
        why=why,
    )


PARTS = (
    attribute(COUNTRY, "JP", PRINTABLE_STRING),
    attribute(ORGANIZATION, "JPKI-TEST"),
    attribute(UNIT, SIGNATURE_UNIT),
    attribute(UNIT, AGENCY),
)
BMP_STRING, T61_STRING = 0x1E, 0x14

NAMES: tuple[Case, ...] = (
    Case(threat=Threat.NAMES, name="as the CA writes it", leaf=named(ca_name())),
    *(
        name_case(name_, changed, 0, FORGIVING)
        for name_, changed in {
            "PrintableString": ca_name(
                organization=attribute(ORGANIZATION, "JPKI-TEST", PRINTABLE_STRING)
            ),
            "T61String": ca_name(organization=attribute(ORGANIZATION, "JPKI-TEST", T61_STRING)),
            "BMPString": ca_name(
                organization=seq(
                    attribute(ORGANIZATION, "")[2:7],
                    tlv(BMP_STRING, "JPKI-TEST".encode("utf-16-be")),
                )
            ),
            "country in UTF8String": ca_name(country=attribute(COUNTRY, "JP")),
            "lower case": ca_name(organization=attribute(ORGANIZATION, "jpki-test")),
            "two spaces": ca_name(unit=attribute(UNIT, SIGNATURE_UNIT.replace(" ", "  "))),
            "a space before": ca_name(organization=attribute(ORGANIZATION, " JPKI-TEST")),
            "a space after": ca_name(organization=attribute(ORGANIZATION, "JPKI-TEST ")),
        }.items()
    ),
    *(
        name_case(name_, changed, 20)
        for name_, changed in {
            "units in the other order": name((PARTS[0],), (PARTS[1],), (PARTS[3],), (PARTS[2],)),
            "all in the other order": name(*((part,) for part in reversed(PARTS))),
            "both units in one RDN": name((PARTS[0],), (PARTS[1],), PARTS[2:]),
            "all in one RDN": name(PARTS),
            "one part more": name(*((part,) for part in PARTS), (PARTS[3],)),
            "one part less": name(*((part,) for part in PARTS[:3])),
            "another unit": ca_name(unit=attribute(UNIT, AUTHENTICATION_UNIT)),
            "another country": ca_name(country=attribute(COUNTRY, "JQ", PRINTABLE_STRING)),
            "NUL after": ca_name(organization=attribute(ORGANIZATION, "JPKI-TEST\0")),
            "zero width space": ca_name(organization=attribute(ORGANIZATION, "JPKI-TEST\u200b")),
            "full width": ca_name(organization=attribute(ORGANIZATION, "ＪＰＫＩ-TEST")),
            "Cyrillic": ca_name(organization=attribute(ORGANIZATION, "JР\u041aI-TEST")),
            "no-break space": ca_name(unit=attribute(UNIT, SIGNATURE_UNIT.replace(" ", "\u00a0"))),
            "empty": name(),
        }.items()
    ),
)
