"""Who holds it: attributes twice, of odd types, with odd characters, and codes without meaning.

The path fails only where a CA cannot have meant it; what is merely odd passes and is reported.
"""

from dataclasses import replace

from support.attacks.case import (
    NOT_READ,
    REFUSED,
    Case,
    Threat,
)
from support.forging import (
    IA5_STRING,
    NULL,
    OCTET_STRING,
    SUBJECT_ALT_NAME,
    UTF8_STRING,
    by_rsa,
    extension,
    fields_of,
    forge_extension,
    holder,
    holder_name,
    oid,
    seq,
)
from support.odd_certificates import tlv
from support.pki import HOLDER

from jpki.certificates import HolderFaultKind, Reason

BMP_STRING, PRINTABLE_STRING, T61_STRING = 0x1E, 0x13, 0x14
NAME, NAME_FLAGS, SEX, BIRTH_DATE, ADDRESS, ADDRESS_FLAGS = range(1, 7)
Kind = HolderFaultKind
MALFORMED = (Reason.HOLDER_MALFORMED,)


def text(value: str, tag: int = UTF8_STRING) -> bytes:
    return tlv(tag, value.encode())


def named(threat: Threat, name: str, names: bytes, *kinds: Kind, **expected: object) -> Case:
    """A case with another subjectAltName, of which faults of some kinds are reported."""
    if any(kind.is_structural for kind in kinds):
        expected = {"reasons": MALFORMED, "why": NOT_READ, **expected}
    arguments = {"leaf": lambda: forge_extension(SUBJECT_ALT_NAME, names), **expected}
    return Case(threat=threat, name=name, reported=frozenset(kinds), **arguments)  # type: ignore[arg-type]


def odd(name: str, changes: dict[int, bytes], *kinds: Kind, **expected: object) -> Case:
    return named(Threat.HOLDER_TWICE, name, holder(changes), *kinds, **expected)


def twice(name: str, more: bytes, *kinds: Kind, **expected: object) -> Case:
    return named(Threat.HOLDER_TWICE, name, holder(more=more), *kinds, **expected)


def two_alternative_names(second: bytes) -> bytes:
    fields = fields_of()
    more = extension(SUBJECT_ALT_NAME, second)
    return replace(fields, extensions=(*fields.extensions, more)).signed(by_rsa())


def in_name(character: str) -> dict[int, bytes]:
    return {NAME: text(HOLDER[NAME] + character), NAME_FLAGS: text(HOLDER[NAME_FLAGS] + "0")}


UNKNOWN_NAME = tlv(0xA0, oid("1.2.3.4") + tlv(0xA0, text("X")))
MAIL = tlv(0x81, b"taro@example.jp")

TWICE = (
    twice("the usual holder", b""),
    odd("no ideographic space", {NAME: text("番号花子"), NAME_FLAGS: text("0000")}),
    twice("an attribute that is not known", holder_name(7, text("旧見本"))),
    twice("a name of another kind", UNKNOWN_NAME),
    *(
        twice(
            f"two subjectAltNames, {name}",
            b"",
            leaf=lambda second=second: two_alternative_names(second),
            reasons=REFUSED,
            openssl=20,
        )
        for name, second in {
            "one person": holder(),
            "two people": holder({NAME: text("番号　花子")}),
        }.items()
    ),
    twice("the name twice, two people", holder_name(NAME, text("番号　花子")), Kind.DUPLICATE),
    twice("the name twice, one person", holder_name(NAME, text(HOLDER[NAME])), Kind.DUPLICATE),
    twice("the birth date twice", holder_name(BIRTH_DATE, text("419900401")), Kind.DUPLICATE),
    twice("the address twice", holder_name(ADDRESS, text("京都府")), Kind.DUPLICATE),
    twice("the second of another type", holder_name(NAME, text("X", IA5_STRING)), Kind.DUPLICATE),
    odd("the name an IA5String", {NAME: text("MIHON", IA5_STRING)}, Kind.WRONG_TYPE),
    odd("the name a PrintableString", {NAME: text("MIHON", PRINTABLE_STRING)}, Kind.WRONG_TYPE),
    odd("the name a T61String", {NAME: text("MIHON", T61_STRING)}, Kind.WRONG_TYPE),
    odd(
        "the name a BMPString",
        {NAME: tlv(BMP_STRING, HOLDER[NAME].encode("utf-16-be"))},
        Kind.WRONG_TYPE,
    ),
    odd("the name an OCTET STRING", {NAME: text(HOLDER[NAME], OCTET_STRING)}, Kind.WRONG_TYPE),
    odd("the name NULL", {NAME: tlv(NULL, b"")}, Kind.WRONG_TYPE),
    odd("the name in a SEQUENCE", {NAME: seq(text(HOLDER[NAME]))}, Kind.WRONG_TYPE),
    odd("the name in two pieces", {NAME: tlv(0x2C, text("見本") + text("太郎"))}, Kind.WRONG_TYPE),
    odd("the birth date an INTEGER", {BIRTH_DATE: tlv(2, b"\x13")}, Kind.WRONG_TYPE),
    odd("the sex an IA5String", {SEX: text("1", IA5_STRING)}, Kind.WRONG_TYPE),
    odd("not UTF-8", {NAME: tlv(UTF8_STRING, b"\xff\xfe")}, Kind.BAD_UTF8),
    odd("UTF-8 cut short", {NAME: tlv(UTF8_STRING, "見".encode()[:2])}, Kind.BAD_UTF8),
    odd("UTF-8 longer than need be", {NAME: tlv(UTF8_STRING, b"\xc0\xaf")}, Kind.BAD_UTF8),
    odd("a surrogate", {NAME: tlv(UTF8_STRING, b"\xed\xa0\x80")}, Kind.BAD_UTF8),
    odd("Shift_JIS", {NAME: tlv(UTF8_STRING, HOLDER[NAME].encode("cp932"))}, Kind.BAD_UTF8),
    odd("an empty name", {NAME: text(""), NAME_FLAGS: text("")}, Kind.EMPTY),
    odd("NUL", in_name("\0"), Kind.CONTROL_CHARACTER),
    odd("ESC", in_name("\x1b"), Kind.CONTROL_CHARACTER),
    odd("a new line", in_name("\n"), Kind.CONTROL_CHARACTER),
    odd("right to left", in_name("\u202e"), Kind.INVISIBLE_CHARACTER),
    odd("an isolate", in_name("\u2067"), Kind.INVISIBLE_CHARACTER),
    odd("zero width space", in_name("\u200b"), Kind.INVISIBLE_CHARACTER),
    odd("zero width joiner", in_name("\u200d"), Kind.INVISIBLE_CHARACTER),
    odd("a byte order mark", in_name("\ufeff"), Kind.INVISIBLE_CHARACTER),
    *(
        named(
            Threat.HOLDER_TWICE, f"attribute {number} missing", holder(without=number), Kind.MISSING
        )
        for number in HOLDER
    ),
    named(
        Threat.HOLDER_TWICE,
        "no attribute of JPKI",
        seq(UNKNOWN_NAME),
        reasons=(Reason.PROFILE_MISMATCH,),
        why=NOT_READ,
    ),
    named(
        Threat.HOLDER_TWICE,
        "a mail address alone",
        seq(MAIL),
        reasons=(Reason.PROFILE_MISMATCH,),
        why=NOT_READ,
    ),
    named(Threat.HOLDER_TWICE, "no names", seq(), reasons=(Reason.PROFILE_MISMATCH,), openssl=87),
)


def coded(name: str, number: int, value: str, *kinds: Kind) -> Case:
    return named(Threat.HOLDER_CODES, name, holder({number: text(value)}), *kinds)


CODES = (
    named(Threat.HOLDER_CODES, "the usual codes", holder()),
    coded("a substitute in the name", NAME_FLAGS, "01000"),
    coded("flags shorter than the name", NAME_FLAGS, "0000", Kind.FLAGS_LENGTH),
    coded("flags longer than the name", NAME_FLAGS, "000000", Kind.FLAGS_LENGTH),
    coded("flags as many as bytes", NAME_FLAGS, "0" * 15, Kind.FLAGS_LENGTH),
    coded("no flags for the name", NAME_FLAGS, "", Kind.FLAGS_LENGTH),
    coded("a flag 2", NAME_FLAGS, "00002", Kind.FLAGS_CODE),
    coded("a flag x", NAME_FLAGS, "0000x", Kind.FLAGS_CODE),
    coded("flags shorter than the address", ADDRESS_FLAGS, "0", Kind.FLAGS_LENGTH),
    coded("flags longer than the address", ADDRESS_FLAGS, "0" * 40, Kind.FLAGS_LENGTH),
    coded("a flag 9 in the address", ADDRESS_FLAGS, "0" * 15 + "9", Kind.FLAGS_CODE),
    coded("birth date of 8 digits", BIRTH_DATE, "19890331", Kind.DATE_FORMAT),
    coded("birth date of 10 digits", BIRTH_DATE, "4198903310", Kind.DATE_FORMAT),
    coded("birth date of letters", BIRTH_DATE, "H01-03-31", Kind.DATE_FORMAT),
    coded("birth date of full width digits", BIRTH_DATE, "４１９８９０３３１", Kind.DATE_FORMAT),
    *(coded(f"era {era}", BIRTH_DATE, f"{era}19890331", Kind.ERA_CODE) for era in "6789"),
    coded("era not known", BIRTH_DATE, "019890331"),
    coded("era another than the year", BIRTH_DATE, "519890331", Kind.ERA_MISMATCH),
    coded("era after the last of its days", BIRTH_DATE, "319890108", Kind.ERA_MISMATCH),
    coded("year 0000", BIRTH_DATE, "400000331", Kind.DATE_INCOMPLETE),
    coded("all zeros", BIRTH_DATE, "000000000", Kind.DATE_INCOMPLETE),
    coded("day 00", BIRTH_DATE, "419890300", Kind.DATE_INCOMPLETE),
    coded("month 13", BIRTH_DATE, "419891331", Kind.DATE_IMPOSSIBLE),
    coded("31 April", BIRTH_DATE, "419890431", Kind.DATE_IMPOSSIBLE),
    coded("29 February of no leap year", BIRTH_DATE, "419890229", Kind.DATE_IMPOSSIBLE),
    coded("sex 0", SEX, "0", Kind.SEX_CODE),
    coded("sex a", SEX, "a", Kind.SEX_CODE),
    coded("sex 11", SEX, "11", Kind.SEX_CODE),
    coded("no sex", SEX, "", Kind.SEX_CODE),
    *(coded(f"sex {code}", SEX, code) for code in "239"),
)

HOLDERS: tuple[Case, ...] = (*TWICE, *CODES)
