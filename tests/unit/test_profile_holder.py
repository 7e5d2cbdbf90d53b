"""The holder's attributes: read by OID, reported where they are odd, never guessed."""

from dataclasses import replace
from datetime import date

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pki import AT, HOLDER, SIGNATURE_LEAF, load, load_key

from jpki.certificates import (
    Era,
    Holder,
    HolderAttribute,
    HolderFault,
    HolderFaultKind,
    OtherAttribute,
    Purpose,
    Reason,
    Sex,
    check_path,
    load_certificates,
    read_profile,
)
from jpki.certificates.holder import HOLDER_ARC, read_holder

Fault = HolderFaultKind
ATTRIBUTES = {
    1: HolderAttribute.NAME,
    2: HolderAttribute.NAME_FLAGS,
    3: HolderAttribute.SEX,
    4: HolderAttribute.BIRTH_DATE,
    5: HolderAttribute.ADDRESS,
    6: HolderAttribute.ADDRESS_FLAGS,
}
FIELDS = {1: "name", 3: "sex", 4: "birth_date", 5: "address"}
STRUCTURAL = {Fault.DUPLICATE, Fault.WRONG_TYPE, Fault.BAD_UTF8}


def length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag: int, contents: bytes) -> bytes:
    return bytes([tag]) + length(len(contents)) + contents


def other(oid: str, der: bytes) -> x509.OtherName:
    return x509.OtherName(ObjectIdentifier(oid), der)


def attribute(number: int, text: str) -> x509.OtherName:
    return other(f"{HOLDER_ARC}.{number}", tlv(0x0C, text.encode()))


def certificate_with(names: list[x509.GeneralName]) -> x509.Certificate:
    """Built, written and loaded again: what a file would bring."""
    leaf = replace(SIGNATURE_LEAF, names=x509.SubjectAlternativeName(names))
    built = leaf.build(load_key("signature").public_key(), load_key("signature-ca"))
    (loaded,) = load_certificates(built.public_bytes(Encoding.DER))
    return loaded


def holder_with(names: list[x509.GeneralName]) -> Holder:
    holder = read_holder(certificate_with(names))
    assert holder is not None
    return holder


def changed(values: dict[int, str]) -> Holder:
    return holder_with([attribute(*item) for item in ({**HOLDER, **values}).items()])


def replaced(number: int, der: bytes) -> Holder:
    """The usual holder with other bytes for one attribute."""
    names = [attribute(*item) for item in HOLDER.items() if item[0] != number]
    return holder_with([*names, other(f"{HOLDER_ARC}.{number}", der)])


def faults_of(holder: Holder) -> set[tuple[str, HolderFaultKind]]:
    return {(fault.attribute, fault.kind) for fault in holder.faults}


# --- the usual holder ---------------------------------------------------------------------------


def test_the_holder_is_read_by_oid_whatever_the_order():
    for order in ((1, 4, 3, 5, 2, 6), (6, 5, 4, 3, 2, 1), (2, 1, 6, 5, 4, 3)):
        holder = holder_with([attribute(number, HOLDER[number]) for number in order])
        assert holder == Holder(
            name="見本　太郎",
            birth_date=date(1989, 3, 31),
            era=Era.HEISEI,
            sex=Sex.MALE,
            address=HOLDER[5],
            substituted_in_name=(),
            substituted_in_address=(),
        )
        assert not holder.is_malformed


def test_a_certificate_without_the_holders_names_has_no_holder():
    assert read_profile(load("authentication")).holder is None
    assert read_holder(certificate_with([x509.DNSName("example.jp")])) is None
    stranger = other("1.3.6.1.4.1.311.20.2.3", tlv(0x0C, b"hanako"))
    assert read_holder(certificate_with([stranger])) is None


def test_a_name_without_an_ideographic_space_is_no_fault():
    holder = changed({1: "番号花子", 2: "0000"})
    assert holder.name == "番号花子"
    assert holder.faults == ()


def test_a_text_longer_than_127_bytes_is_read():
    address = "東京都" * 60
    holder = changed({5: address, 6: "0" * len(address)})
    assert (holder.address, holder.faults) == (address, ())


def test_the_flags_mark_characters():
    holder = changed({1: "見本　太郎", 2: "01001", 6: "0000000000000001"})
    assert holder.substituted_in_name == (1, 4)
    assert holder.substituted_in_address == (15,)
    assert holder.faults == ()


def test_a_character_beyond_the_basic_plane_has_one_flag():
    holder = changed({1: "𠮷田　太郎", 2: "10000"})
    assert holder.substituted_in_name == (0,)
    assert holder.faults == ()


def test_nothing_personal_is_in_a_repr():
    holder = holder_with(
        [*(attribute(*item) for item in HOLDER.items()), attribute(7, "みほん　たろう")]
    )
    text = repr(holder)
    for personal in ("見本", "東京", "1989", "MALE", "HEISEI", "みほん"):
        assert personal not in text


# --- structural faults --------------------------------------------------------------------------


@pytest.mark.parametrize("number", ATTRIBUTES)
@pytest.mark.parametrize(
    ("der", "fault"),
    [
        (tlv(0x0C, b"\xff"), Fault.BAD_UTF8),
        (tlv(0x0C, b"\xe8\xa6"), Fault.BAD_UTF8),
        (tlv(0x0C, b"\xc0\x80"), Fault.BAD_UTF8),  # NUL, overlong
        (tlv(0x0C, b"\xed\xa0\x80"), Fault.BAD_UTF8),  # a surrogate
        (tlv(0x16, b"1"), Fault.WRONG_TYPE),  # IA5String
        (tlv(0x13, b"1"), Fault.WRONG_TYPE),  # PrintableString
        (tlv(0x1E, b"\x30\x42"), Fault.WRONG_TYPE),  # BMPString
        (tlv(0x04, b"1"), Fault.WRONG_TYPE),  # OCTET STRING
        (tlv(0x05, b""), Fault.WRONG_TYPE),  # NULL
        (tlv(0x30, tlv(0x0C, b"1")), Fault.WRONG_TYPE),
        (tlv(0x2C, tlv(0x0C, b"1")), Fault.WRONG_TYPE),  # a constructed UTF8String, BER
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_an_attribute_of_another_type_is_malformed_and_not_read(number, der, fault):
    holder = replaced(number, der)
    assert (ATTRIBUTES[number], fault) in faults_of(holder)
    assert holder.is_malformed
    check_unread(holder, number)
    for other_number in set(FIELDS) - {number}:
        assert getattr(holder, FIELDS[other_number]) is not None


def check_unread(holder: Holder, number: int) -> None:
    if number in FIELDS:
        assert getattr(holder, FIELDS[number]) is None
    elif number == 2:
        assert holder.substituted_in_name is None
    else:
        assert holder.substituted_in_address is None
    if number == 4:
        assert holder.era is None


@pytest.mark.parametrize("number", ATTRIBUTES)
@pytest.mark.parametrize("same", [True, False])
def test_an_attribute_given_twice_is_malformed_and_not_read(number, same):
    text = HOLDER[number] if same else "1"
    holder = holder_with([attribute(number, text), *(attribute(*item) for item in HOLDER.items())])
    assert faults_of(holder) == {(ATTRIBUTES[number], Fault.DUPLICATE)}
    assert holder.is_malformed
    check_unread(holder, number)


def test_the_flags_of_a_malformed_text_mark_nothing():
    holder = replaced(1, tlv(0x16, b"Mihon"))
    assert holder.substituted_in_name is None
    assert holder.substituted_in_address == ()


# --- odd contents -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize(
    ("character", "fault"),
    [
        ("\0", Fault.CONTROL_CHARACTER),
        ("\n", Fault.CONTROL_CHARACTER),
        ("\x1b", Fault.CONTROL_CHARACTER),
        ("\x7f", Fault.CONTROL_CHARACTER),
        ("\x9b", Fault.CONTROL_CHARACTER),
        ("\u2028", Fault.CONTROL_CHARACTER),
        ("\u202e", Fault.INVISIBLE_CHARACTER),  # right-to-left override
        ("\u2066", Fault.INVISIBLE_CHARACTER),
        ("\u200b", Fault.INVISIBLE_CHARACTER),  # zero width space
        ("\u200d", Fault.INVISIBLE_CHARACTER),
        ("\ufeff", Fault.INVISIBLE_CHARACTER),
        ("\u00ad", Fault.INVISIBLE_CHARACTER),
        ("\u3164", Fault.INVISIBLE_CHARACTER),  # Hangul filler
        ("\ufe00", Fault.INVISIBLE_CHARACTER),  # variation selectors
        ("\U000e0100", Fault.INVISIBLE_CHARACTER),
        ("\U000e0041", Fault.INVISIBLE_CHARACTER),  # tags
    ],
    ids=lambda value: f"U+{ord(value):04X}" if len(value) == 1 else None,
)
def test_a_character_that_nobody_sees_is_reported_and_kept(number, character, fault):
    text = HOLDER[number] + character + "花"
    holder = changed({number: text, {1: 2, 5: 6}[number]: "0" * len(text)})
    assert faults_of(holder) == {(ATTRIBUTES[number], fault)}
    assert getattr(holder, FIELDS[number]) == text
    assert not holder.is_malformed


@pytest.mark.parametrize("number", [2, 6])
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda flags: flags[:-1], Fault.FLAGS_LENGTH),
        (lambda flags: flags + "0", Fault.FLAGS_LENGTH),
        (lambda flags: "", Fault.FLAGS_LENGTH),
        (lambda flags: "2" + flags[1:], Fault.FLAGS_CODE),
        (lambda flags: "０" + flags[1:], Fault.FLAGS_CODE),
        (lambda flags: " " + flags[1:], Fault.FLAGS_CODE),
    ],
    ids=["shorter", "longer", "empty", "2", "full width", "space"],
)
def test_flags_that_do_not_fit_mark_nothing(number, change, fault):
    holder = changed({number: change(HOLDER[number])})
    assert faults_of(holder) == {(ATTRIBUTES[number], fault)}
    assert not holder.is_malformed
    check_unread(holder, number)


@pytest.mark.parametrize(
    ("code", "sex"), [("1", Sex.MALE), ("2", Sex.FEMALE), ("3", Sex.OTHER), ("9", Sex.OTHER)]
)
def test_sex_codes(code, sex):
    holder = changed({3: code})
    assert (holder.sex, holder.faults) == (sex, ())


@pytest.mark.parametrize("code", ["0", "4", "a", "", "男", "１", "11", " 1"])
def test_a_sex_code_that_is_not_known_is_reported(code):
    holder = changed({3: code})
    assert holder.sex is None
    assert faults_of(holder) == {(HolderAttribute.SEX, Fault.SEX_CODE)}
    assert not holder.is_malformed


@pytest.mark.parametrize(
    ("text", "day", "era"),
    [
        ("118680125", date(1868, 1, 25), Era.MEIJI),
        ("119120730", date(1912, 7, 30), Era.MEIJI),  # both eras have that day
        ("219120730", date(1912, 7, 30), Era.TAISHO),
        ("219261225", date(1926, 12, 25), Era.TAISHO),
        ("319261225", date(1926, 12, 25), Era.SHOWA),
        ("319890107", date(1989, 1, 7), Era.SHOWA),
        ("419890108", date(1989, 1, 8), Era.HEISEI),
        ("420190430", date(2019, 4, 30), Era.HEISEI),
        ("520190501", date(2019, 5, 1), Era.REIWA),
        ("520240229", date(2024, 2, 29), Era.REIWA),
        ("019890331", date(1989, 3, 31), Era.UNKNOWN),
    ],
)
def test_birth_dates_with_their_era(text, day, era):
    holder = changed({4: text})
    assert (holder.birth_date, holder.era, holder.faults) == (day, era, ())


@pytest.mark.parametrize(
    ("text", "day", "era", "fault"),
    [
        ("31989033", None, None, Fault.DATE_FORMAT),
        ("4198903311", None, None, Fault.DATE_FORMAT),
        ("", None, None, Fault.DATE_FORMAT),
        ("４１９８９０３３１", None, None, Fault.DATE_FORMAT),
        ("4-9890331", None, None, Fault.DATE_FORMAT),
        ("H19890331", None, None, Fault.DATE_FORMAT),
        ("619890331", None, None, Fault.ERA_CODE),
        ("719890331", None, None, Fault.ERA_CODE),
        ("820260401", None, None, Fault.ERA_CODE),
        ("919890331", None, None, Fault.ERA_CODE),
        ("400000000", None, Era.HEISEI, Fault.DATE_INCOMPLETE),
        ("319850000", None, Era.SHOWA, Fault.DATE_INCOMPLETE),
        ("319850400", None, Era.SHOWA, Fault.DATE_INCOMPLETE),
        ("300000401", None, Era.SHOWA, Fault.DATE_INCOMPLETE),
        ("000000000", None, Era.UNKNOWN, Fault.DATE_INCOMPLETE),
        ("419891301", None, Era.HEISEI, Fault.DATE_IMPOSSIBLE),
        ("419891300", None, Era.HEISEI, Fault.DATE_IMPOSSIBLE),
        ("419890431", None, Era.HEISEI, Fault.DATE_IMPOSSIBLE),
        ("520230229", None, Era.REIWA, Fault.DATE_IMPOSSIBLE),
        ("319890331", date(1989, 3, 31), Era.SHOWA, Fault.ERA_MISMATCH),
        ("419890107", date(1989, 1, 7), Era.HEISEI, Fault.ERA_MISMATCH),
        ("519890331", date(1989, 3, 31), Era.REIWA, Fault.ERA_MISMATCH),
        ("119890331", date(1989, 3, 31), Era.MEIJI, Fault.ERA_MISMATCH),
    ],
)
def test_a_birth_date_that_is_odd_is_reported_and_not_guessed(text, day, era, fault):
    holder = changed({4: text})
    assert (holder.birth_date, holder.era) == (day, era)
    assert faults_of(holder) == {(HolderAttribute.BIRTH_DATE, fault)}
    assert not holder.is_malformed


def test_years_of_eras_count_from_one():
    assert Era.SHOWA.year_of(date(1926, 12, 31)) == 1
    assert Era.SHOWA.year_of(date(1989, 1, 7)) == 64
    assert Era.HEISEI.year_of(date(1989, 1, 8)) == 1
    assert Era.REIWA.year_of(date(2026, 4, 1)) == 8
    assert Era.SHOWA.year_of(date(1989, 1, 8)) is None
    assert Era.UNKNOWN.year_of(date(1989, 1, 8)) is None


@pytest.mark.parametrize("number", ATTRIBUTES)
def test_an_attribute_that_is_not_there_is_reported(number):
    names = [attribute(*item) for item in HOLDER.items() if item[0] != number]
    holder = holder_with(names)
    assert faults_of(holder) == {(ATTRIBUTES[number], Fault.MISSING)}
    assert not holder.is_malformed
    check_unread(holder, number)


def test_an_empty_name_is_reported():
    holder = changed({1: "", 2: ""})
    assert faults_of(holder) == {(HolderAttribute.NAME, Fault.EMPTY)}


# --- the path -----------------------------------------------------------------------------------


def reasons_for(names: list[x509.GeneralName]) -> tuple[Reason, ...]:
    anchors = [load("signature-ca")]
    return check_path(certificate_with(names), anchors, AT, Purpose.DOCUMENT).reasons


@pytest.mark.parametrize("number", ATTRIBUTES)
def test_a_path_is_refused_for_a_malformed_attribute(number):
    twice = [attribute(*item) for item in HOLDER.items()] + [attribute(number, HOLDER[number])]
    assert reasons_for(twice) == (Reason.HOLDER_MALFORMED,)
    others = [attribute(*item) for item in HOLDER.items() if item[0] != number]
    for der in (tlv(0x16, b"1"), tlv(0x0C, b"\xff")):
        odd = other(f"{HOLDER_ARC}.{number}", der)
        assert reasons_for([*others, odd]) == (Reason.HOLDER_MALFORMED,)


@pytest.mark.parametrize(
    "values",
    [{}, {3: "0"}, {4: "319890331"}, {4: "400000000"}, {1: "見本\u202e太郎"}, {2: "0"}, {6: "2"}],
)
def test_a_path_is_not_refused_for_odd_contents(values):
    names = [attribute(*item) for item in ({**HOLDER, **values}).items()]
    assert reasons_for(names) == ()


# --- attributes that are not known --------------------------------------------------------------


def test_attributes_that_are_not_known_are_kept_under_their_oid():
    names = [attribute(*item) for item in HOLDER.items()]
    unknown = [
        attribute(7, "旧見本"),
        other(f"{HOLDER_ARC}.8", tlv(0x04, b"\x01")),
        other("1.3.6.1.4.1.311.20.2.3", tlv(0x0C, b"taro@example.jp")),
    ]
    holder = holder_with([*unknown, *names])
    assert holder.others == (
        OtherAttribute(oid=f"{HOLDER_ARC}.7", text="旧見本"),
        OtherAttribute(oid=f"{HOLDER_ARC}.8", text=None),
        OtherAttribute(oid="1.3.6.1.4.1.311.20.2.3", text="taro@example.jp"),
    )
    assert holder.name == HOLDER[1]
    assert holder.faults == ()


def test_an_unknown_attribute_given_twice_is_malformed():
    names = [attribute(*item) for item in HOLDER.items()]
    holder = holder_with([*names, attribute(7, "旧見本"), attribute(7, "旧番号")])
    assert faults_of(holder) == {(f"{HOLDER_ARC}.7", Fault.DUPLICATE)}
    assert holder.is_malformed
    assert [other.text for other in holder.others] == ["旧見本", "旧番号"]


def test_an_unknown_attribute_with_characters_that_act_is_reported():
    names = [attribute(*item) for item in HOLDER.items()]
    holder = holder_with([*names, attribute(7, "旧\u202e見本\0")])
    assert faults_of(holder) == {
        (f"{HOLDER_ARC}.7", Fault.CONTROL_CHARACTER),
        (f"{HOLDER_ARC}.7", Fault.INVISIBLE_CHARACTER),
    }


# --- whatever comes -----------------------------------------------------------------------------

OIDS = st.sampled_from([f"{HOLDER_ARC}.{number}" for number in range(10)] + ["1.2.3.4"])
TEXTS = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[0-9]{8,10}", fullmatch=True),
    st.from_regex(r"[0-2]{0,6}", fullmatch=True),
    st.sampled_from([*HOLDER.values(), "3", "9"]),
)
VALUES = st.one_of(
    TEXTS.map(lambda text: tlv(0x0C, text.encode("utf-8", "surrogatepass"))),
    st.tuples(st.sampled_from([0x0C, 0x04, 0x16, 0x1E, 0x13, 0x30]), st.binary(max_size=20)).map(
        lambda parts: tlv(*parts)
    ),
)


def plain(der: bytes) -> str | None:
    """An independent look: the text of a UTF8String with a short length."""
    if der[0] != 0x0C or der[1] >= 0x80:
        return None
    try:
        return der[2:].decode()
    except UnicodeDecodeError:
        return None


@settings(max_examples=400, deadline=None)
@given(names=st.lists(st.tuples(OIDS, VALUES), max_size=12), random=st.randoms())
def test_whatever_the_names_hold_the_holder_is_plain_or_reported(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    holder = read_holder(certificate_with([other(*item) for item in names] or [x509.DNSName("a")]))
    again = read_holder(
        certificate_with([other(*item) for item in shuffled] or [x509.DNSName("a")])
    )
    if holder is None:
        assert again is None
        assert not any(oid.startswith(HOLDER_ARC) for oid, _ in names)
        return
    assert again is not None
    assert replace(again, others=(), faults=()) == replace(holder, others=(), faults=())
    assert set(again.faults) == set(holder.faults)
    assert holder.is_malformed == any(fault.kind in STRUCTURAL for fault in holder.faults)
    assert len(set(holder.faults)) == len(holder.faults)
    for field, oid in (("name", f"{HOLDER_ARC}.1"), ("address", f"{HOLDER_ARC}.5")):
        values = [der for found, der in names if found == oid]
        wanted = plain(values[0]) if len(values) == 1 else None
        assert getattr(holder, field) == wanted
        if wanted is None:
            assert {fault.attribute for fault in holder.faults} >= {field}
    if holder.substituted_in_name is not None:
        assert holder.name is not None
        assert set(holder.substituted_in_name) <= set(range(len(holder.name)))
    for number, attribute_name in ATTRIBUTES.items():
        count = [oid for oid, _ in names].count(f"{HOLDER_ARC}.{number}")
        duplicate = HolderFault(attribute=attribute_name, kind=Fault.DUPLICATE)
        assert (duplicate in holder.faults) == (count > 1)
