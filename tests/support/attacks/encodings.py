"""How it is written: BER where DER belongs, bytes after the end, great length and depth."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from support.attacks.case import BER, NO_PROFILE, NOT_READ, REFUSED, UNREADABLE, Case, Der, Threat
from support.forging import (
    BASIC_CONSTRAINTS,
    BIT_STRING,
    FALSE,
    JUNK,
    KEY_USAGE,
    OCTET_STRING,
    SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
    TRUE,
    UTF8_STRING,
    attribute,
    bits,
    by_rsa,
    extension,
    fields_of,
    forge,
    forge_extension,
    holder,
    integer,
    name,
    oid,
    seq,
    utc_time,
)
from support.odd_certificates import nested, tlv

from jpki.certificates import Reason

MISMATCH = (Reason.PROFILE_MISMATCH,)
FIRST, LAST = "250402010203Z", "300331145959Z"


def whole(name_: str, change: Callable[[bytes], bytes], **expected: object) -> Case:
    """The whole certificate, which nobody signed as such, written otherwise."""
    return encoded(name_, lambda: change(forge()), **expected)


def inner(name_: str, change: Callable[[bytes], bytes], **expected: object) -> Case:
    """The TBSCertificate written otherwise, and signed so."""
    return encoded(name_, lambda: forge(encode=change), **expected)


def encoded(name_: str, leaf: Der, **expected: object) -> Case:
    if "openssl" not in expected and expected.get("reasons") != ():
        expected = {"why": BER, **expected}
    expected = {"reasons": REFUSED, **expected}
    return Case(threat=Threat.ENCODING, name=name_, leaf=leaf, **expected)  # type: ignore[arg-type]


def indefinite(der: bytes) -> bytes:
    return der[:1] + b"\x80" + contents(der) + bytes(2)


def contents(der: bytes) -> bytes:
    octets = der[1] & 0x7F if der[1] & 0x80 else 0
    return der[2 + octets :]


def longer_length(octets: int) -> Callable[[bytes], bytes]:
    """The same length in so many octets."""

    def change(der: bytes) -> bytes:
        return (
            der[:1] + bytes([0x80 | octets]) + len(contents(der)).to_bytes(octets) + contents(der)
        )

    return change


def declared(size: int, octets: int) -> Callable[[bytes], bytes]:
    """Another length than there is."""
    return lambda der: der[:1] + bytes([0x80 | octets]) + size.to_bytes(octets) + contents(der)


def subject_with(common_name: bytes) -> bytes:
    return name((seq(oid("2.5.4.6"), tlv(0x13, b"JP")),), (seq(oid("2.5.4.3"), common_name),))


def extended(*more: bytes, without: str | None = None) -> Der:
    """The usual certificate with more extensions, whatever they are."""

    def leaf() -> bytes:
        fields = fields_of()
        if without is not None:
            fields = fields.with_extension(without, None)
        return replace(fields, extensions=(*fields.extensions, *more)).signed(by_rsa())

    return leaf


def many_extensions(count: int) -> bytes:
    more = (extension(f"1.2.3.{number}", tlv(5, b"")) for number in range(count))
    return extended(*more)()


def with_value(dotted: str, value: bytes, critical: bytes = b"") -> Der:
    return lambda: forge_extension(dotted, value, critical)


def constructed_key() -> bytes:
    algorithm, key = fields_of().public_key[4:19], fields_of().public_key[19:]
    return seq(algorithm, tlv(0x23, key))


def constructed_signature() -> bytes:
    fields = fields_of()
    return seq(fields.tbs(), fields.outer, tlv(0x23, bits(by_rsa()(fields.tbs()))))


USAGE = bytes.fromhex("030206C0")
ODD_OID = "1.2.3.4"
COMMON_NAME = "20250402010203MIHON99999"
PIECES = tlv(UTF8_STRING, b"20250402010203") + tlv(UTF8_STRING, b"MIHON99999")
BOOLEANS = {f"{octet:02X}": tlv(1, bytes([octet])) for octet in (0x01, 0x7F, 0xFE)}

ENCODINGS: tuple[Case, ...] = (
    encoded("DER", forge, reasons=()),
    encoded(
        "basicConstraints as DER has it",
        with_value(BASIC_CONSTRAINTS, seq(), TRUE),
        reasons=(),
    ),
    # lengths
    whole("indefinite length", indefinite),
    inner("indefinite length inside", indefinite),
    whole("length in 3 octets where 2 do", longer_length(3)),
    whole("length in 4 octets", longer_length(4)),
    whole("length in 5 octets", longer_length(5)),
    whole("length in 8 octets", longer_length(8)),
    whole("length in 126 octets", longer_length(126)),
    whole("length in 127 octets", longer_length(127)),
    inner("length in 3 octets inside", longer_length(3)),
    inner("length in 5 octets inside", longer_length(5)),
    whole("100 MB declared", declared(100_000_000, 4), openssl=UNREADABLE),
    inner("100 MB declared inside", declared(100_000_000, 4), openssl=UNREADABLE),
    whole("2^63 declared", declared(1 << 63, 8), openssl=UNREADABLE),
    whole(
        "a byte too much declared",
        lambda der: declared(len(contents(der)) + 1, 2)(der),
        openssl=UNREADABLE,
    ),
    whole(
        "a byte too little declared",
        lambda der: declared(len(contents(der)) - 1, 2)(der),
        openssl=UNREADABLE,
    ),
    encoded(
        "a length of one octet in two",
        with_value(ODD_OID, b"\x05\x81\x00"),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    encoded(
        "the extension's length in two octets",
        extended(b"\x30\x81" + extension(ODD_OID, tlv(5, b""))[1:]),
    ),
    # trailing bytes
    whole("a zero after", lambda der: der + b"\x00"),
    whole("end of contents after", lambda der: der + bytes(2)),
    whole("a line after", lambda der: der + b"\n"),
    whole("a truncated one after", lambda der: der + der[:100]),
    whole("a fourth field", lambda der: seq(contents(der), JUNK), openssl=UNREADABLE),
    encoded("a field after the extensions", lambda: forge(after=JUNK), openssl=UNREADABLE),
    encoded(
        "a second list of extensions",
        lambda: forge(after=tlv(0xA3, seq(*fields_of().extensions))),
        openssl=UNREADABLE,
    ),
    encoded(
        "an empty list of extensions", lambda: forge(after=tlv(0xA3, seq())), openssl=UNREADABLE
    ),
    encoded("a byte after keyUsage", with_value(KEY_USAGE, USAGE + b"\x00", TRUE)),
    encoded("a byte after subjectAltName", with_value(SUBJECT_ALT_NAME, holder() + b"\x00")),
    encoded(
        "a byte after subjectKeyIdentifier",
        with_value(SUBJECT_KEY_IDENTIFIER, tlv(4, bytes(20)) + b"\x00"),
    ),
    encoded(
        "a field after an extension's value",
        extended(seq(oid(ODD_OID), tlv(4, b"\x05\x00"), JUNK)),
        openssl=UNREADABLE,
    ),
    encoded(
        "a field after the time",
        lambda: forge(validity=seq(contents(fields_of().validity), JUNK)),
        openssl=UNREADABLE,
    ),
    encoded(
        "a field after the attribute",
        lambda: forge(subject=subject_with(tlv(UTF8_STRING, b"X") + JUNK)),
        openssl=UNREADABLE,
    ),
    # BOOLEAN and DEFAULT
    *(
        encoded(f"critical TRUE as {name_}", with_value(KEY_USAGE, USAGE, octet))
        for name_, octet in BOOLEANS.items()
    ),
    encoded("critical FALSE encoded", with_value(SUBJECT_ALT_NAME, holder(), FALSE)),
    encoded("critical of no octet", with_value(KEY_USAGE, USAGE, tlv(1, b"")), openssl=UNREADABLE),
    encoded(
        "critical of two octets",
        with_value(KEY_USAGE, USAGE, tlv(1, b"\xff\xff")),
        openssl=UNREADABLE,
    ),
    encoded("critical an INTEGER", with_value(KEY_USAGE, USAGE, integer(1)), openssl=UNREADABLE),
    *(
        encoded(f"CA as {name_}", with_value(BASIC_CONSTRAINTS, seq(octet), TRUE))
        for name_, octet in BOOLEANS.items()
    ),
    # constructed strings
    encoded(
        "a constructed UTF8String in the subject",
        lambda: forge(subject=subject_with(tlv(0x2C, PIECES))),
    ),
    encoded(
        "a constructed UTF8String of indefinite length",
        lambda: forge(subject=subject_with(b"\x2c\x80" + PIECES + bytes(2))),
    ),
    encoded(
        "a constructed OCTET STRING",
        extended(seq(oid(ODD_OID), tlv(0x24, tlv(4, b"\x05") + tlv(4, b"\x00")))),
    ),
    encoded("a constructed BIT STRING as the key", lambda: forge(public_key=constructed_key())),
    encoded("a constructed BIT STRING as the signature", constructed_signature),
    encoded("a constructed BIT STRING as keyUsage", with_value(KEY_USAGE, tlv(0x23, USAGE), TRUE)),
    encoded(
        "a constructed UTCTime",
        lambda: forge(validity=seq(tlv(0x37, utc_time(FIRST)), utc_time(LAST))),
    ),
    encoded("a primitive SEQUENCE", lambda: tlv(0x10, contents(forge())), openssl=UNREADABLE),
    encoded(
        "a primitive SEQUENCE inside",
        lambda: forge(validity=tlv(0x10, contents(fields_of().validity))),
        openssl=UNREADABLE,
    ),
    encoded("a SET for a SEQUENCE", lambda: tlv(0x31, contents(forge())), openssl=UNREADABLE),
    encoded("the tag in three octets", lambda: b"\x3f\x10" + forge()[1:]),
    # other types
    encoded(
        "a subject that is not UTF-8",
        lambda: forge(subject=subject_with(tlv(UTF8_STRING, b"\xff"))),
        openssl=UNREADABLE,
    ),
    encoded("an empty attribute", lambda: forge(subject=subject_with(b"")), openssl=UNREADABLE),
    encoded(
        "an OID whose last octet is missing",
        extended(seq(tlv(6, b"\x2a\x83"), tlv(4, b"\x05\x00"))),
        openssl=UNREADABLE,
    ),
    encoded(
        "an OID with zeros before",
        extended(seq(tlv(6, b"\x2a\x80\x03"), tlv(4, b"\x05\x00"))),
        openssl=UNREADABLE,
    ),
    encoded("an empty OID", extended(seq(tlv(6, b""), tlv(4, b"\x05\x00"))), openssl=UNREADABLE),
    encoded("an extension without value", extended(seq(oid(ODD_OID))), openssl=UNREADABLE),
    encoded(
        "keyUsage with unused bits set", with_value(KEY_USAGE, bytes.fromhex("030206FF"), TRUE)
    ),
    encoded(
        "a BIT STRING without its first octet",
        with_value(KEY_USAGE, tlv(BIT_STRING, b""), TRUE),
        openssl=20,
    ),
    encoded(
        "a BIT STRING with 8 unused bits",
        with_value(KEY_USAGE, bytes.fromhex("030208C0"), TRUE),
        openssl=20,
    ),
    # size and depth
    *(
        encoded(
            f"an extension {levels:,} levels deep",
            with_value(ODD_OID, nested(levels)),
            reasons=MISMATCH,
            why=NO_PROFILE,
        )
        for levels in (100, 1_000, 10_000)
    ),
    encoded("a subject 1,000 levels deep", lambda: forge(subject=subject_with(nested(1_000)))),
    encoded(
        "a holder 1,000 levels deep",
        with_value(SUBJECT_ALT_NAME, holder({1: nested(1_000)})),
        reasons=(Reason.HOLDER_MALFORMED,),
        why=NOT_READ,
    ),
    encoded(
        "the subjectAltName 1,000 levels deep",
        with_value(SUBJECT_ALT_NAME, nested(1_000)),
        openssl=20,
    ),
    encoded("policies 1,000 levels deep", with_value("2.5.29.32", nested(1_000), TRUE), openssl=42),
    *(
        encoded(f"{count:,} extensions", partial(many_extensions, count), reasons=MISMATCH)
        for count in (10_000, 30_000)
    ),
    encoded("10,000 extensions of one kind", extended(*[extension(ODD_OID, tlv(5, b""))] * 10_000)),
    encoded(
        "an extension of 1 MB",
        with_value(ODD_OID, tlv(OCTET_STRING, bytes(1_000_000))),
        reasons=MISMATCH,
        why=NO_PROFILE,
    ),
    encoded(
        "a subject of 10,000 parts",
        lambda: forge(subject=name(*((attribute("2.5.4.7", "X"),) for _ in range(10_000)))),
        reasons=(),
    ),
)
