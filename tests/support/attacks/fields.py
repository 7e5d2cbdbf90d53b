"""Serial numbers, versions, unique identifiers and times that X.509 does not have so."""

from support.attacks.case import BER, NO_PROFILE, OWN_TIME, REFUSED, UNREADABLE, Case, Threat
from support.attacks.naming import COMMON_NAME, COUNTRY
from support.forging import (
    OCTET_STRING,
    PRINTABLE_STRING,
    UTC_TIME,
    UTF8_STRING,
    attribute,
    bits,
    forge,
    generalized_time,
    integer,
    name,
    seq,
    utc_time,
)
from support.odd_certificates import tlv

from jpki.certificates import Reason

MISMATCH = (Reason.PROFILE_MISMATCH,)
LATE = (Reason.PROFILE_MISMATCH, Reason.OUTSIDE_ANCHOR_VALIDITY)
FIRST, LAST = "250402010203Z", "300331145959Z"


def field(name_: str, **rest: object) -> Case:
    """A case about one field; expected results are those of Case."""
    changes = {key: rest.pop(key) for key in list(rest) if key in FIELD_NAMES}
    return Case(
        threat=Threat.FIELDS,
        name=name_,
        leaf=lambda: forge(**changes),  # type: ignore[arg-type]
        **rest,  # type: ignore[arg-type]
    )


FIELD_NAMES = ("version", "serial_number", "validity", "subject", "unique_ids", "extensions")


def serial(name_: str, octets: bytes, **expected: object) -> Case:
    return field(f"serial number {name_}", serial_number=tlv(2, octets), **expected)


SERIALS = (
    serial("of 1 octet", b"\x01"),
    serial("of 20 octets", b"\x7f" + bytes(19)),
    serial("0", b"\x00", reasons=MISMATCH, why=NO_PROFILE),
    serial("-1", b"\xff", reasons=MISMATCH, why=NO_PROFILE),
    serial("negative, 20 octets", b"\x80" + bytes(19), reasons=MISMATCH, why=NO_PROFILE),
    serial("of 21 octets", b"\x00\x80" + bytes(19), reasons=MISMATCH, why=NO_PROFILE),
    serial("of 64 octets", b"\x7f" * 64, reasons=MISMATCH, why=NO_PROFILE),
    serial("of 64 KiB", b"\x7f" * 65536, reasons=MISMATCH, why=NO_PROFILE),
    serial("with a zero before", b"\x00\x01\x02\x03\x04", reasons=REFUSED, openssl=UNREADABLE),
    serial("with FF before", b"\xff\xff", reasons=REFUSED, openssl=UNREADABLE),
    serial("empty", b"", reasons=REFUSED, openssl=UNREADABLE),
)


def explicit(version: int) -> bytes:
    return tlv(0xA0, integer(version))


UNIQUE = bits(b"\x01\x02\x03")[1:]
VERSIONS = (
    field("version 3", version=explicit(2)),
    field("version 1, by default", version=b"", reasons=MISMATCH, openssl=93),
    field(
        "version 1, without extensions",
        version=b"",
        extensions=(),
        reasons=(Reason.WRONG_KEY_USAGE, Reason.WRONG_POLICY, Reason.PROFILE_MISMATCH),
        openssl=43,
    ),
    field("version 1, said aloud", version=explicit(0), reasons=REFUSED, openssl=93),
    field("version 2", version=explicit(1), reasons=REFUSED, openssl=93),
    field("version 4", version=explicit(3), reasons=REFUSED, why=BER),
    field("version -1", version=explicit(-1), reasons=REFUSED, openssl=93),
    field("version of 9 octets", version=explicit(1 << 64), reasons=REFUSED, openssl=93),
    field("issuerUniqueID", unique_ids=b"\x81" + UNIQUE, reasons=MISMATCH, why=NO_PROFILE),
    field("subjectUniqueID", unique_ids=b"\x82" + UNIQUE, reasons=MISMATCH, why=NO_PROFILE),
    field(
        "both unique ids",
        unique_ids=b"\x81" + UNIQUE + b"\x82" + UNIQUE,
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    field(
        "unique ids in the other order",
        unique_ids=b"\x82" + UNIQUE + b"\x81" + UNIQUE,
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
)


def times(name_: str, not_before: bytes, not_after: bytes, **expected: object) -> Case:
    return field(name_, validity=seq(not_before, not_after), **expected)


def until(name_: str, not_after: bytes, **expected: object) -> Case:
    return times(name_, utc_time(FIRST), not_after, **expected)


def since(name_: str, not_before: bytes, **expected: object) -> Case:
    return times(name_, not_before, utc_time(LAST), **expected)


TIMES = (
    times("UTCTime", utc_time(FIRST), utc_time(LAST)),
    since(
        "GeneralizedTime before 2050",
        generalized_time("20250402010203Z"),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    until(
        "GeneralizedTime before 2050, the end",
        generalized_time("20300331145959Z"),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    until(
        "GeneralizedTime after 2050",
        generalized_time("20500331145959Z"),
        reasons=LATE,
        why=OWN_TIME,
    ),
    until("year 9999", generalized_time("99991231235959Z"), reasons=LATE, why=OWN_TIME),
    since(
        "year 0000",
        generalized_time("00000101000000Z"),
        reasons=REFUSED,
        why="there was no such year",
    ),
    since("year 0001", generalized_time("00010101000000Z"), reasons=LATE, why=OWN_TIME),
    since(
        "year 1950",
        utc_time("500101000000Z"),
        reasons=(Reason.OUTSIDE_ANCHOR_VALIDITY,),
        why=OWN_TIME,
    ),
    until("year 1999", utc_time("990101000000Z"), reasons=(Reason.EXPIRED,), openssl=10),
    until("UTCTime without Z", utc_time(LAST[:-1]), reasons=REFUSED, openssl=14),
    until("UTCTime without seconds", utc_time("3003311459Z"), reasons=REFUSED, openssl=14),
    until("UTCTime with an offset", utc_time("300331235959+0900"), reasons=REFUSED, openssl=14),
    until("UTCTime with a fraction", utc_time("300331145959.5Z"), reasons=REFUSED, openssl=14),
    until(
        "UTCTime with four digits of the year",
        utc_time("20300331145959Z"),
        reasons=REFUSED,
        openssl=14,
    ),
    until(
        "GeneralizedTime with two digits of the year",
        generalized_time(LAST),
        reasons=REFUSED,
        openssl=14,
    ),
    until(
        "GeneralizedTime with a fraction",
        generalized_time("20300331145959.5Z"),
        reasons=REFUSED,
        openssl=14,
    ),
    until(
        "GeneralizedTime without Z", generalized_time("20300331145959"), reasons=REFUSED, openssl=14
    ),
    until(
        "GeneralizedTime with an offset",
        generalized_time("20300331235959+0900"),
        reasons=REFUSED,
        openssl=14,
    ),
    until("a leap second", utc_time("300331235960Z"), reasons=REFUSED, openssl=14),
    until("24 o'clock", utc_time("300331240000Z"), reasons=REFUSED, openssl=14),
    until("30 February", utc_time("300230145959Z"), reasons=REFUSED, openssl=14),
    until("29 February of no leap year", utc_time("300229145959Z"), reasons=REFUSED, openssl=14),
    until("month 13", utc_time("301331145959Z"), reasons=REFUSED, openssl=14),
    until("day 00", utc_time("300300145959Z"), reasons=REFUSED, openssl=14),
    until("letters", utc_time("3003311459xxZ"), reasons=REFUSED, openssl=14),
    until("a space in place of a zero", utc_time("300331 45959Z"), reasons=REFUSED, openssl=14),
    until("an empty time", tlv(UTC_TIME, b""), reasons=REFUSED, openssl=14),
    until(
        "a time of another type",
        tlv(UTF8_STRING, LAST.encode()),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
    field("one time alone", validity=seq(utc_time(FIRST)), reasons=REFUSED, openssl=UNREADABLE),
    field(
        "three times",
        validity=seq(utc_time(FIRST), utc_time(LAST), utc_time(LAST)),
        reasons=REFUSED,
        openssl=UNREADABLE,
    ),
)


def subject(name_: str, *rdns: tuple[bytes, ...], **expected: object) -> Case:
    return field(f"subject {name_}", subject=name(*rdns), **expected)


JP = (attribute(COUNTRY, "JP", PRINTABLE_STRING),)
HOLDER = "20250402010203MIHON99999"

SUBJECTS = (
    subject("of country and name", JP, (attribute(COMMON_NAME, HOLDER),)),
    subject("empty", reasons=MISMATCH, openssl=88),
    subject(
        "an OCTET STRING",
        JP,
        (attribute(COMMON_NAME, HOLDER, OCTET_STRING),),
        reasons=MISMATCH,
        openssl=UNREADABLE,
    ),
    subject(
        "a UTCTime",
        (attribute(COUNTRY, "JP", UTC_TIME),),
        (attribute(COMMON_NAME, HOLDER),),
        reasons=MISMATCH,
        openssl=UNREADABLE,
    ),
    subject("an INTEGER", JP, (attribute(COMMON_NAME, "X", 2),), reasons=REFUSED, openssl=-1),
    subject("without attribute", (), reasons=REFUSED, openssl=88),
)

FIELDS: tuple[Case, ...] = (*SERIALS, *VERSIONS, *TIMES, *SUBJECTS)
