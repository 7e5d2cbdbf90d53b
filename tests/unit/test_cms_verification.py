"""Verifying CMS: every attack beside the control that passes."""

import base64
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from mmap import ACCESS_READ, mmap

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.cms import (
    DOCUMENT,
    Forgery,
    attribute,
    signed_data,
    signing_certificate_v1,
    signing_certificate_v2,
    signing_time,
)
from support.pki import (
    AT,
    AUTHENTICATION_UNIT,
    LEAF_FROM,
    LEAF_UNTIL,
    SIGNATURE_LEAF,
    build_ca,
    ca_name,
    load,
    load_key,
)

from jpki.certificates import AnchorOrigin, Revocation
from jpki.certificates.asn1 import encode_length
from jpki.errors import AnchorNotCaError
from jpki.signing import HashAlgorithm, sign_cms
from jpki.verification import (
    Coverage,
    Level,
    Reason,
    Unchecked,
    Verdict,
    VerificationReport,
    verify_cms,
)

CA = [load("signature-ca")]


def verify(signature: bytes, content: bytes | None = DOCUMENT, anchors=CA, at=AT, now=None):
    stream = None if content is None else io.BytesIO(content)
    return verify_cms(signature, stream, anchors, at, now=now)


def reasons_of(report: VerificationReport) -> list[Reason]:
    """All reasons, of the report and its only signature; checks that the verdict fits them."""
    found = [*report.reasons]
    for signature in report.signatures:
        found += signature.reasons
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


# --- the controls -------------------------------------------------------------------------------


def test_a_sound_signature_passes_and_says_what_was_not_checked():
    report = verify(signed_data(Forgery()))
    assert report.verdict is Verdict.PASSED
    (signature,) = report.signatures
    assert signature.level is Level.CADES_B_B
    assert signature.covers is Coverage.WHOLE
    assert signature.signing_time == AT
    assert signature.hash_algorithm is HashAlgorithm.SHA256
    assert signature.anchor is AnchorOrigin.TEST
    assert signature.path is not None
    assert signature.path.anchor_certificate == load("signature-ca")
    assert signature.signer is not None
    assert signature.revocation is Revocation.NOT_CHECKED
    assert signature.not_checked == (Unchecked.REVOCATION,)


@pytest.mark.parametrize(
    "forgery",
    [
        Forgery(digest_algorithm="sha384", signature_algorithm="sha384_rsa"),
        Forgery(digest_algorithm="sha512", signature_algorithm="sha512_rsa"),
        Forgery(signature_algorithm="rsassa_pkcs1v15"),
        Forgery(by_key_identifier=True),
        Forgery(attributes=[]),
        Forgery(attributes=[signing_certificate_v2(load("signature"), hash_name="sha512")]),
        Forgery(attributes=[signing_certificate_v2(load("signature"), serial_number=0x01020304)]),
        Forgery(attributes=[signing_certificate_v1(load("signature"))]),
        Forgery(unsigned=[attribute("1.2.3.4", core.Null())]),
    ],
    ids=[
        "sha384",
        "sha512",
        "rsaEncryption",
        "by key identifier",
        "no optional attributes",
        "reference by sha512",
        "reference with serial number",
        "reference of version 1",
        "unknown unsigned attribute",
    ],
)
def test_other_sound_forms_pass(forgery):
    assert reasons_of(verify(signed_data(forgery))) == []


def test_attached_content_passes_alone_and_beside_the_same_document():
    signature = signed_data(Forgery(), content=DOCUMENT)
    assert reasons_of(verify(signature, None)) == []
    assert reasons_of(verify(signature, DOCUMENT)) == []


def test_an_empty_document_can_be_signed_both_ways():
    assert reasons_of(verify(signed_data(Forgery(document=b"")), b"")) == []
    assert reasons_of(verify(signed_data(Forgery(document=b""), content=b""), None)) == []


@pytest.mark.parametrize("label", ["CMS", "PKCS7"])
def test_pem_is_read(label):
    text = base64.encodebytes(signed_data(Forgery())).decode()
    pem = f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()
    assert reasons_of(verify(pem)) == []
    assert reasons_of(verify(pem + b"more")) == [Reason.MALFORMED]
    assert reasons_of(verify(pem * 2)) == [Reason.MALFORMED]


# --- the container ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        bytes.fromhex("300B06092A864886F70D010702"),  # 13 bytes: signedData and nothing else
        bytes.fromhex("300B06092A864886F70D010701"),
        bytes.fromhex("300F06092A864886F70D010702A0023000"),
        b"not a signature at all",
        b"-----BEGIN CMS-----\nAAAA\n",
        b"-----BEGIN CMS-----\n!!!!\n-----END CMS-----\n",
        b"-----BEGIN CMS-----\nAAAAA\n-----END CMS-----\n",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        b"\x30\x84\xff\xff\xff\xff" + bytes(20),
        b"\x30\x89" + b"\xff" * 20,
        b"\x30\x80" * 5000,
        b"\xa0\x80" * 100_000,
        bytes.fromhex("3080") + bytes.fromhex("2480") * 70_000 + b"\x00\x00" * 70_001,
        b"\x1f\xff\xff\xff\xff\xff\xff",
    ],
    ids=lambda data: f"{len(data)} bytes {data[:6].hex()}",
)
def test_what_is_no_signature_is_malformed(data):
    assert reasons_of(verify(data)) == [Reason.MALFORMED]
    assert verify(data).verdict is Verdict.FAILED


def test_bytes_after_the_signature_are_refused():
    assert reasons_of(verify(signed_data(Forgery()) + b"\x00")) == [Reason.MALFORMED]


def test_every_truncation_is_malformed():
    signature = signed_data(Forgery())
    for size in range(0, len(signature), 7):
        assert reasons_of(verify(signature[:size])) == [Reason.MALFORMED]


def test_zero_signers_fail():
    assert reasons_of(verify(signed_data(certificates=[load("signature")]))) == [
        Reason.NO_SIGNATURE
    ]


def test_zero_certificates_fail():
    assert reasons_of(verify(signed_data(Forgery(), certificates=[]))) == [
        Reason.SIGNER_CERTIFICATE_MISSING
    ]


def test_ten_thousand_certificates_are_searched():
    # Distinct serial numbers by hand: signing ten thousand would take minutes.
    der = load("authentication").public_bytes(Encoding.DER)
    place = der.index(bytes.fromhex("020401020305")) + 2
    crowd = [der[:place] + n.to_bytes(4, "big") + der[place + 4 :] for n in range(1, 10_001)]
    signature = signed_data(Forgery(), certificates=[*crowd, load("signature")])
    assert reasons_of(verify(signature)) == []


def test_too_many_signers_are_refused():
    assert reasons_of(verify(signed_data(*[Forgery()] * 101))) == [Reason.MALFORMED]


def test_a_second_forged_signer_fails_the_whole_wherever_it_stands():
    good, bad = Forgery(), Forgery(key=load_key("foreign-ca"), digest_algorithm="sha512")
    bad.signature_algorithm = "sha512_rsa"
    for signers in ((good, bad), (bad, good)):
        report = verify(signed_data(*signers))
        assert report.verdict is Verdict.FAILED
        verdicts = sorted(signature.verdict.value for signature in report.signatures)
        assert verdicts == ["failed", "passed"]


def test_two_sound_signers_pass():
    second = Forgery(digest_algorithm="sha512", signature_algorithm="sha512_rsa")
    report = verify(signed_data(Forgery(), second))
    assert report.verdict is Verdict.PASSED
    assert len(report.signatures) == 2


# --- the content --------------------------------------------------------------------------------


def test_another_document_fails():
    assert reasons_of(verify(signed_data(Forgery()), b"another")) == [Reason.DIGEST_MISMATCH]
    assert reasons_of(verify(signed_data(Forgery()), b"")) == [Reason.DIGEST_MISMATCH]


def test_a_detached_signature_without_its_document_says_so():
    report = verify(signed_data(Forgery()), None)
    assert report.reasons == (Reason.CONTENT_MISSING,)
    assert report.verdict is Verdict.FAILED


def test_attached_and_given_content_must_agree():
    signature = signed_data(Forgery(), content=DOCUMENT)
    assert reasons_of(verify(signature, b"another")) == [Reason.CONTENT_CONFLICT]


def test_attached_content_that_was_not_signed_fails():
    signature = signed_data(Forgery(), content=b"another")
    assert reasons_of(verify(signature, None)) == [Reason.DIGEST_MISMATCH]
    assert reasons_of(verify(signature, DOCUMENT)) == [
        Reason.CONTENT_CONFLICT,
        Reason.DIGEST_MISMATCH,
    ]


# --- the signed attributes ----------------------------------------------------------------------


def der_attributes(*attributes: cms.CMSAttribute, ordered: bool = True) -> bytes:
    """Encode attributes as a SET, in DER order or just as they come."""
    encodings = [attribute.dump() for attribute in attributes]
    body = b"".join(sorted(encodings) if ordered else encodings)
    assert 128 <= len(body) < 256
    return b"\x31\x81" + bytes([len(body)]) + body


def usual(digest: bytes | None = None) -> list[cms.CMSAttribute]:
    if digest is None:
        digest = HashAlgorithm.SHA256.digest(DOCUMENT)
    return [
        attribute("content_type", "data"),
        attribute("message_digest", digest),
        signing_time(),
        attribute("1.2.3.4", core.OctetString(b"filling, so that the length takes two bytes")),
    ]


def test_prescribed_attributes_in_order_are_the_control():
    forgery = Forgery(signed_attrs_der=der_attributes(*usual()))
    assert reasons_of(verify(signed_data(forgery))) == []


def test_without_signed_attributes_a_signature_fails():
    forgery = Forgery(without_attributes=True)
    assert reasons_of(verify(signed_data(forgery))) == [Reason.SIGNED_ATTRIBUTES_MISSING]


def test_attributes_of_one_signature_are_not_content_of_another():
    signed = Forgery().signer_info()["signed_attrs"].untag().dump()
    attack = Forgery(document=signed, without_attributes=True)
    assert reasons_of(verify(signed_data(attack), signed)) == [Reason.SIGNED_ATTRIBUTES_MISSING]


@pytest.mark.parametrize(
    "forgery",
    [
        Forgery(content_type=None),
        Forgery(message_digest=b""),
        Forgery(content_type="1.2.3.4"),
        Forgery(signed_attrs_der=der_attributes(*reversed(usual()), ordered=False)),
        Forgery(signed_attrs_der=der_attributes(*usual(), attribute("content_type", "data"))),
        Forgery(
            signed_attrs_der=der_attributes(
                *usual()[2:],
                attribute("content_type", "data", "data"),
                attribute("message_digest", HashAlgorithm.SHA256.digest(DOCUMENT)),
            )
        ),
        Forgery(
            signed_attrs_der=der_attributes(
                *usual()[2:],
                attribute("content_type", "data"),
                attribute("message_digest", HashAlgorithm.SHA256.digest(DOCUMENT), b"x" * 32),
            )
        ),
        Forgery(
            signed_attrs_der=der_attributes(
                *usual()[:2], usual()[3], attribute("signing_time", cms.Time.load(b"\x17\x03now"))
            )
        ),
        Forgery(unsigned=[signing_time()]),
        Forgery(unsigned=[attribute("message_digest", bytes(32))]),
        Forgery(attributes=[], unsigned=[signing_certificate_v2(load("signature"))]),
    ],
    ids=[
        "no content-type",
        "no message-digest",
        "content-type of something else",
        "not in DER order",
        "content-type twice",
        "content-type with two values",
        "message-digest with two values",
        "signing-time that is no time",
        "signing-time unsigned",
        "message-digest also unsigned",
        "signing-certificate unsigned",
    ],
)
def test_signed_attributes_that_are_not_as_they_should_be_fail(forgery):
    assert Reason.SIGNED_ATTRIBUTES_INVALID in reasons_of(verify(signed_data(forgery)))


def test_a_digest_of_another_length_fails():
    forgery = Forgery(message_digest=HashAlgorithm.SHA256.digest(DOCUMENT)[:20])
    assert reasons_of(verify(signed_data(forgery))) == [Reason.DIGEST_MISMATCH]


def wrap(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag]) + encode_length(len(body)) + body


def with_signed_attrs(good: bytes, signed_attrs: bytes) -> bytes:
    """Put other bytes in the place of the signed attributes, [0] and all."""
    content_info = cms.ContentInfo.load(good)
    parts = content_info["content"]
    signer = parts["signer_infos"][0]
    before = (signer[name].dump() for name in ("version", "sid", "digest_algorithm"))
    after = (signer[name].dump() for name in ("signature_algorithm", "signature"))
    signer_info = wrap(0x30, *before, signed_attrs, *after)
    names = ("version", "digest_algorithms", "encap_content_info", "certificates")
    inner = wrap(0x30, *(parts[name].dump() for name in names), wrap(0x31, signer_info))
    return wrap(0x30, content_info["content_type"].dump(), wrap(0xA0, inner))


def test_attributes_that_are_not_der_fail_even_with_a_signature_over_der():
    der = der_attributes(*usual())
    body = der[3:]
    good = signed_data(Forgery(signed_attrs_der=der))
    assert with_signed_attrs(good, wrap(0xA0, body)) == good
    for other in (b"\xa0\x82\x00" + der[2:3] + body, b"\xa0\x80" + body + b"\x00\x00"):
        report = verify(with_signed_attrs(good, other))
        assert Reason.SIGNED_ATTRIBUTES_INVALID in reasons_of(report)


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (  # signing-certificate-v2 with IssuerSerial: GeneralNames of one directoryName of nothing
            "060B2A864886F70D010910022F",
            wrap(
                0x30,
                wrap(
                    0x30,
                    wrap(
                        0x30,
                        b"\x04\x00",
                        wrap(0x30, wrap(0x30, b"\xa4\x00"), b"\x02\x01\x01"),
                    ),
                ),
            ),
        ),
        (  # cmsAlgorithmProtection whose signature algorithm is nothing
            "06092A864886F70D010934",
            wrap(0x30, wrap(0x30, bytes.fromhex("0609608648016503040201")), b"\xa1\x00"),
        ),
    ],
    ids=["no name", "no signature algorithm"],
)
def test_an_attribute_with_an_empty_part_fails(oid, value):
    odd = cms.CMSAttribute.load(wrap(0x30, bytes.fromhex(oid), wrap(0x31, value)))
    forgery = Forgery(signed_attrs_der=der_attributes(*usual(), odd))
    assert Reason.SIGNED_ATTRIBUTES_INVALID in reasons_of(verify(signed_data(forgery)))


# --- signature and algorithms -------------------------------------------------------------------


def test_a_signature_by_another_key_fails():
    forgery = Forgery(key=load_key("foreign-ca"))
    assert reasons_of(verify(signed_data(forgery))) == [Reason.SIGNATURE_INVALID]


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        (Forgery(digest_algorithm="sha1", signature_algorithm="sha1_rsa"), Reason.WEAK_ALGORITHM),
        (Forgery(digest_algorithm="md5", signature_algorithm="md5_rsa"), Reason.WEAK_ALGORITHM),
        (
            Forgery(digest_algorithm="sha1", signature_algorithm="rsassa_pkcs1v15"),
            Reason.WEAK_ALGORITHM,
        ),
        (Forgery(signature_algorithm="sha512_rsa"), Reason.ALGORITHM_MISMATCH),
        (Forgery(signature_algorithm="rsassa_pss", pss=True), Reason.UNSUPPORTED_ALGORITHM),
        (Forgery(signature_algorithm="sha256_ecdsa"), Reason.UNSUPPORTED_ALGORITHM),
        (Forgery(signature_algorithm="rsassa_pkcs1v15", pss=True), Reason.SIGNATURE_INVALID),
    ],
    ids=[
        "SHA-1",
        "MD5",
        "SHA-1 by rsaEncryption",
        "SHA-256 said, SHA-512 with RSA named",
        "PSS",
        "ECDSA",
        "PSS under the name of PKCS#1 v1.5",
    ],
)
def test_algorithms_outside_sha2_with_pkcs1_fail(forgery, reason):
    assert reasons_of(verify(signed_data(forgery))) == [reason]


def test_the_list_of_digest_algorithms_must_hold_the_one_used():
    signature = signed_data(Forgery(), digest_algorithms=["sha512"])
    assert reasons_of(verify(signature)) == [Reason.ALGORITHM_MISMATCH]


@pytest.mark.parametrize(
    ("digest", "expected"), [("sha256", []), ("sha512", [Reason.ALGORITHM_MISMATCH])]
)
def test_protected_algorithms_must_be_those_used(digest, expected):
    protection = cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": {"algorithm": digest},
            "signature_algorithm": {"algorithm": "sha256_rsa"},
        }
    )
    forgery = Forgery(attributes=[attribute("cms_algorithm_protection", protection)])
    assert reasons_of(verify(signed_data(forgery))) == expected


# --- the signer's certificate -------------------------------------------------------------------


def twin(serial_number: int = 0x01020304) -> x509.Certificate:
    """Another certificate of the same key."""
    leaf = replace(SIGNATURE_LEAF, serial_number=serial_number, not_before=LEAF_FROM - timedelta(1))
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def test_a_reference_to_another_certificate_of_the_same_key_fails():
    forgery = Forgery(attributes=[signing_time(), signing_certificate_v2(load("signature"))])
    forgery.certificate = twin(7)
    assert reasons_of(verify(signed_data(forgery))) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def test_a_reference_of_version_1_must_fit_too():
    forgery = Forgery(attributes=[signing_certificate_v1(twin())])
    assert reasons_of(verify(signed_data(forgery))) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def test_a_reference_with_another_serial_number_fails():
    forgery = Forgery(attributes=[signing_certificate_v2(load("signature"), serial_number=8)])
    assert reasons_of(verify(signed_data(forgery))) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


@pytest.mark.parametrize("by_key_identifier", [False, True])
def test_a_namesake_in_the_bag_neither_helps_nor_harms(by_key_identifier):
    forgery = Forgery(by_key_identifier=by_key_identifier)
    for bag in ([twin(), load("signature")], [load("signature"), twin()]):
        report = verify(signed_data(forgery, certificates=bag))
        assert reasons_of(report) == []
        fingerprint = report.signatures[0].signer.fingerprint_sha256
        assert fingerprint == verify(signed_data(forgery)).signatures[0].signer.fingerprint_sha256
    only_twin = verify(signed_data(forgery, certificates=[twin()]))
    assert reasons_of(only_twin) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def test_a_certificate_of_another_issuer_with_the_same_serial_is_not_the_signers():
    other = load("authentication")
    assert reasons_of(verify(signed_data(Forgery(), certificates=[other]))) == [
        Reason.SIGNER_CERTIFICATE_MISSING
    ]


def test_a_garbled_certificate_of_the_signer_is_named():
    der = bytearray(load("signature").public_bytes(Encoding.DER))
    place = der.index(bytes.fromhex("0603551D0F"))  # keyUsage becomes a second issuerAltName
    der[place + 4] = 0x12
    report = verify(signed_data(Forgery(), certificates=[bytes(der)]))
    assert reasons_of(report) == [Reason.CERTIFICATE_MALFORMED]


def test_junk_in_the_bag_does_not_hide_the_signers_certificate():
    der = load("authentication").public_bytes(Encoding.DER)
    junk = [der[:4] + bytes(len(der) - 4), der.replace(b"\x06\x03U\x1d\x0f", b"\x06\x03U\x1d\x12")]
    for by_key_identifier in (False, True):
        forgery = Forgery(by_key_identifier=by_key_identifier)
        signature = signed_data(forgery, certificates=[*junk, load("signature")])
        assert reasons_of(verify(signature)) == []


@pytest.mark.parametrize(
    ("name", "key", "ca", "expected"),
    [
        ("signature-expired", "signature", "signature-ca", Reason.EXPIRED),
        ("signature-not-yet-valid", "signature", "signature-ca", Reason.NOT_YET_VALID),
        ("signature-wrong-usage", "signature", "signature-ca", Reason.WRONG_KEY_USAGE),
        ("authentication", "authentication", "authentication-ca", Reason.WRONG_KEY_USAGE),
        ("signature-foreign", "signature", "signature-ca", Reason.UNTRUSTED_ISSUER),
        ("signature", "signature", "foreign-ca", Reason.UNTRUSTED_ISSUER),
        ("signature-ca", "signature-ca", "signature-ca", Reason.SIGNER_IS_CA),
    ],
)
def test_a_certificate_that_may_not_sign_this_document_now_fails(name, key, ca, expected):
    forgery = Forgery(certificate=load(name), key=load_key(key))
    report = verify(signed_data(forgery), anchors=[load(ca)])
    assert expected in reasons_of(report)
    assert report.verdict is Verdict.FAILED


def test_without_anchors_the_verdict_is_indeterminate():
    report = verify(signed_data(Forgery()), anchors=[])
    assert report.signatures[0].reasons == (Reason.NO_ANCHOR,)
    assert report.verdict is Verdict.INDETERMINATE
    assert report.signatures[0].anchor is None


def test_with_anchors_of_other_names_the_verdict_is_indeterminate():
    report = verify(signed_data(Forgery()), anchors=[load("authentication-ca")])
    assert report.signatures[0].reasons == (Reason.NO_ANCHOR,)


def test_a_forged_signature_without_anchors_is_failed_not_indeterminate():
    report = verify(signed_data(Forgery(key=load_key("foreign-ca"))), anchors=[])
    assert report.verdict is Verdict.FAILED


def test_a_root_that_came_with_the_signature_is_not_trusted():
    forgery = Forgery(certificate=load("signature-foreign"))
    signature = signed_data(forgery, certificates=[load("signature-foreign"), load("foreign-ca")])
    assert verify(signature, anchors=[]).verdict is Verdict.INDETERMINATE
    assert reasons_of(verify(signature)) == [Reason.UNTRUSTED_ISSUER]


def test_a_ca_of_j_lis_is_an_anchor_where_the_signature_carries_it(pinned_signature_ca):
    card = replace(SIGNATURE_LEAF, policy="1.2.392.200149.8.5.1.1.20").build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    forgery = Forgery(certificate=card)
    with_ca = signed_data(forgery, certificates=[card, load("signature-ca")])
    report = verify(with_ca, anchors=[])
    assert reasons_of(report) == []
    assert report.signatures[0].anchor is AnchorOrigin.PINNED
    assert report.signatures[0].path.pin is pinned_signature_ca
    assert reasons_of(verify(signed_data(forgery), anchors=[])) == [Reason.NO_ANCHOR]


def test_a_card_is_no_ca():
    forged = replace(SIGNATURE_LEAF, issuer=load("signature").subject).build(
        load_key("foreign-ca").public_key(), load_key("signature")
    )
    forgery = Forgery(certificate=forged, key=load_key("foreign-ca"))
    bag = [forged, load("signature")]
    assert verify(signed_data(forgery, certificates=bag)).verdict is not Verdict.PASSED
    with pytest.raises(AnchorNotCaError):
        verify(signed_data(forgery, certificates=bag), anchors=[load("signature")])


def test_the_right_one_of_several_namesake_anchors_is_found():
    for anchors in (
        [load("foreign-ca"), load("signature-ca")],
        [load("signature-ca"), load("foreign-ca"), load("authentication-ca")],
    ):
        assert reasons_of(verify(signed_data(Forgery()), anchors=anchors)) == []


def test_an_anchor_of_another_organization_is_a_given_one():
    name = ca_name(organization="Example")
    anchor = build_ca(load_key("foreign-ca"), name=name)
    leaf = replace(SIGNATURE_LEAF, issuer=name).build(
        load_key("signature").public_key(), load_key("foreign-ca")
    )
    report = verify(signed_data(Forgery(certificate=leaf)), anchors=[anchor])
    assert reasons_of(report) == []
    assert report.signatures[0].anchor is AnchorOrigin.GIVEN


def test_dates_hold_to_the_second():
    signature = signed_data(Forgery())
    second = timedelta(seconds=1)
    assert reasons_of(verify(signature, at=LEAF_FROM, now=AT)) == []
    assert reasons_of(verify(signature, at=LEAF_FROM - second, now=AT)) == [Reason.NOT_YET_VALID]
    assert reasons_of(verify(signature, at=LEAF_UNTIL)) == []
    assert reasons_of(verify(signature, at=LEAF_UNTIL + second / 2)) == []
    assert reasons_of(verify(signature, at=LEAF_UNTIL + second)) == [Reason.EXPIRED]


def signed_at(moment: datetime) -> bytes:
    attributes = [signing_certificate_v2(load("signature")), signing_time(moment)]
    return signed_data(Forgery(attributes=attributes))


@pytest.mark.parametrize(
    ("claimed", "reasons"),
    [
        (LEAF_FROM, []),
        (LEAF_FROM - timedelta(seconds=1), [Reason.SIGNING_TIME_INVALID]),
        (LEAF_UNTIL + timedelta(seconds=1), [Reason.SIGNING_TIME_INVALID]),
    ],
)
def test_a_claimed_time_outside_the_certificates_validity_is_refused(claimed, reasons):
    assert reasons_of(verify(signed_at(claimed), now=LEAF_UNTIL)) == reasons


def test_a_signature_from_the_future_is_not_believed_but_clocks_may_differ():
    minute = timedelta(minutes=1)
    assert reasons_of(verify(signed_at(AT + 5 * minute))) == []
    report = verify(signed_at(AT + 6 * minute))
    assert reasons_of(report) == [Reason.SIGNING_TIME_IN_FUTURE]
    assert report.verdict is Verdict.INDETERMINATE
    # Asked about a time in the past, what counts is the day on which that is asked.
    assert reasons_of(verify(signed_at(AT + 6 * minute), at=AT, now=AT + 6 * minute)) == []


def test_a_time_without_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        verify(signed_data(Forgery()), at=datetime(2026, 6, 1))  # noqa: DTZ001


# --- the report ---------------------------------------------------------------------------------


def test_a_report_is_no_truth_value():
    report = verify(signed_data(Forgery()))
    for value in (report, report.signatures[0]):
        with pytest.raises(TypeError, match="three states"):
            bool(value)


def test_an_empty_report_is_failed():
    assert VerificationReport().verdict is Verdict.FAILED
    assert VerificationReport().reasons == (Reason.NO_SIGNATURE,)


def test_what_a_report_prints_does_not_name_the_holder():
    report = verify(signed_data(Forgery()))
    assert report.signatures[0].signer.holder.name == "見本　太郎"
    assert "見本" not in repr(report)
    assert "419890331" not in repr(report)


def test_claimed_time_is_reported_whatever_it_claims():
    claimed = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    report = verify(signed_data(Forgery(attributes=[signing_time(claimed)])))
    assert report.signatures[0].signing_time == claimed
    assert report.signatures[0].level is Level.CMS


def test_authentication_ca_does_not_vouch_for_signatures():
    leaf = replace(SIGNATURE_LEAF, issuer=ca_name(AUTHENTICATION_UNIT)).build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    report = verify(signed_data(Forgery(certificate=leaf)), anchors=[load("authentication-ca")])
    assert reasons_of(report) == [Reason.UNTRUSTED_ISSUER]


def test_a_mapped_file_is_verified_without_reading_it_into_memory(tmp_path):
    content = bytes(32 << 20)
    path = tmp_path / "document.p7m"
    path.write_bytes(
        sign_cms(
            io.BytesIO(content),
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            attached=True,
        )
    )
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        tracemalloc.start()
        try:
            report = verify_cms(mapped, None, CA, AT)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert report.verdict is Verdict.PASSED
    assert peak < 4 << 20


def test_content_in_a_hundred_thousand_pieces_is_read_in_little_memory():
    pieces = b"\x04\x00" * 100_000 + wrap(0x04, DOCUMENT)
    attached = cms.ContentInfo.load(signed_data(Forgery(), content=DOCUMENT))
    parts = attached["content"]
    for octets in (wrap(0x24, pieces), b"\x24\x80" + pieces + b"\x00\x00"):
        encapsulated = wrap(0x30, cms.ContentType("data").dump(), wrap(0xA0, octets))
        names = ("version", "digest_algorithms"), ("certificates", "signer_infos")
        before, after = ([parts[name].dump() for name in group] for group in names)
        inner = wrap(0x30, *before, encapsulated, *after)
        signature = wrap(0x30, attached["content_type"].dump(), wrap(0xA0, inner))
        tracemalloc.start()
        try:
            report = verify(signature, None)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert reasons_of(report) == []
        assert peak < 4 << 20


def test_a_bag_of_a_million_things_is_malformed():
    good = cms.ContentInfo.load(signed_data(Forgery()))
    parts = good["content"]
    names = ("version", "digest_algorithms", "encap_content_info")
    bag = wrap(0xA0, b"\x30\x00" * 1_000_000)
    signers = parts["signer_infos"].dump()
    inner = wrap(0x30, *(parts[name].dump() for name in names), bag, signers)
    signature = wrap(0x30, good["content_type"].dump(), wrap(0xA0, inner))
    assert reasons_of(verify(signature)) == [Reason.MALFORMED]
