"""CMS forgeries of certificates, attributes and containers, each beside its control."""

import io
from dataclasses import replace
from hashlib import sha1

import pytest
from asn1crypto import algos, cms, core, tsp
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
    to_asn1,
)
from support.pki import AT, SIGNATURE_LEAF, load, load_key
from support.revocation import Crl
from support.tsa import Token

from jpki.certificates import Revocation
from jpki.certificates.revocation import RevocationMaterial, RevocationMode
from jpki.signing import sign_cms
from jpki.verification import Reason, Unchecked, Verdict, VerificationReport, verify_cms

CA = [load("signature-ca")]


def verify(data: bytes, content: bytes | None = DOCUMENT, **named: object) -> VerificationReport:
    stream = None if content is None else io.BytesIO(content)
    return verify_cms(data, stream, CA, AT, **named)  # type: ignore[arg-type]


def reasons_of(report: VerificationReport) -> list[Reason]:
    found = [*report.reasons, *(reason for each in report.signatures for reason in each.reasons)]
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


# --- another certificate of the same key --------------------------------------------------------


def twin(**changes: object) -> x509.Certificate:
    """Another certificate of the signer's key, by the same CA."""
    leaf = replace(SIGNATURE_LEAF, **changes)  # type: ignore[arg-type]
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def swapped(forgery: Forgery, certificate: x509.Certificate, *, by_key: bool) -> bytes:
    """A signature made with one certificate, put beside another one of the same key."""
    forgery.by_key_identifier = by_key
    signer = forgery.signer_info()
    if not by_key:
        other = to_asn1(certificate)
        signer["sid"] = cms.SignerIdentifier(
            "issuer_and_serial_number",
            cms.IssuerAndSerialNumber(
                {"issuer": other.issuer, "serial_number": other.serial_number}
            ),
        )
    parts = {
        "version": "v1",
        "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices("certificate", to_asn1(certificate))],
        "signer_infos": [signer],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(parts)}).dump()


@pytest.mark.parametrize("by_key", [False, True], ids=["by name", "by key identifier"])
def test_a_certificate_of_the_same_key_cannot_be_put_in_the_signers_place(by_key):
    control = swapped(Forgery(), load("signature"), by_key=by_key)
    assert reasons_of(verify(control)) == []
    for other in (
        twin(serial_number=9),
        twin(policy="1.2.3"),
        twin(not_after=AT.replace(year=2027)),
    ):
        report = verify(swapped(Forgery(), other, by_key=by_key))
        assert Reason.SIGNER_CERTIFICATE_MISMATCH in reasons_of(report)


def test_without_a_reference_to_it_the_certificate_is_any_of_its_key():
    # Plain CMS binds the key, not the certificate: what CAdES adds is the reference.
    forgery = Forgery(attributes=[signing_time()])
    report = verify(swapped(forgery, twin(serial_number=9), by_key=False))
    assert reasons_of(report) == []


# --- references to the certificate --------------------------------------------------------------


def reference(*certificates: tsp.ESSCertIDv2) -> cms.CMSAttribute:
    return attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": certificates}))


def certificate_id(certificate: x509.Certificate) -> tsp.ESSCertIDv2:
    (found,) = signing_certificate_v2(certificate)["values"][0]["certs"]
    return found


def sha1_id() -> tsp.ESSCertIDv2:
    digest = sha1(load("signature").public_bytes(Encoding.DER)).digest()  # noqa: S324
    return tsp.ESSCertIDv2({"hash_algorithm": {"algorithm": "sha1"}, "cert_hash": digest})


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([reference(certificate_id(load("signature")))], []),
        ([reference(certificate_id(load("signature")), certificate_id(load("signature-ca")))], []),
        (
            [reference(certificate_id(load("signature-ca")), certificate_id(load("signature")))],
            [Reason.SIGNER_CERTIFICATE_MISMATCH],
        ),
        ([reference()], [Reason.SIGNED_ATTRIBUTES_INVALID]),
        ([reference(sha1_id())], [Reason.SIGNED_ATTRIBUTES_INVALID]),
        (
            [signing_certificate_v2(load("signature")), signing_certificate_v1(load("signature"))],
            [],
        ),
        (
            [signing_certificate_v2(load("signature")), signing_certificate_v1(twin())],
            [],
        ),
        (
            [
                signing_certificate_v2(load("signature")),
                signing_certificate_v1(load("signature-ca")),
            ],
            [Reason.SIGNER_CERTIFICATE_MISMATCH],
        ),
        (
            [
                signing_certificate_v2(twin(serial_number=9)),
                signing_certificate_v1(load("signature")),
            ],
            [Reason.SIGNER_CERTIFICATE_MISMATCH],
        ),
    ],
    ids=[
        "the signer's",
        "the signer's, then the CA's",
        "the CA's first",
        "none",
        "by SHA-1",
        "both versions",
        "both versions, of a certificate that is the same",
        "version 1 of another",
        "version 2 of another",
    ],
)
def test_what_is_referenced_first_must_be_the_signers(attributes, expected):
    assert reasons_of(verify(signed_data(Forgery(attributes=attributes)))) == expected


# --- content types ------------------------------------------------------------------------------


DATA, DIGESTED = (bytes.fromhex(f"06092A864886F70D01070{last}") for last in (1, 5))


def of_type(inside: bytes, **forged: object) -> bytes:
    """A signature over content of some type; the attribute is as the forgery has it."""
    data = signed_data(Forgery(**forged), content=DOCUMENT)  # type: ignore[arg-type]
    assert data.count(DATA + b"\xa0") == 1
    return data.replace(DATA + b"\xa0", inside + b"\xa0")


def test_without_attributes_content_of_another_type_fails_as_any_does():
    for inside in (DATA, DIGESTED):
        report = verify(of_type(inside, without_attributes=True), None)
        assert reasons_of(report) == [Reason.SIGNED_ATTRIBUTES_MISSING]


def test_the_type_that_was_signed_must_be_the_type_of_the_content():
    assert reasons_of(verify(of_type(DATA, content_type="data"), None)) == []
    assert reasons_of(verify(of_type(DIGESTED, content_type="digested_data"), None)) == []
    for inside, signed in ((DATA, "digested_data"), (DIGESTED, "data")):
        report = verify(of_type(inside, content_type=signed), None)
        assert reasons_of(report) == [Reason.SIGNED_ATTRIBUTES_INVALID]


def test_a_timestamp_is_no_signature_of_a_document():
    token = Token(message=DOCUMENT)
    report = verify(token.der(), None)
    assert Reason.WRONG_KEY_USAGE in reasons_of(report)
    detached = verify(token.der(), DOCUMENT)
    assert Reason.CONTENT_CONFLICT in detached.reasons


# --- attributes on both sides -------------------------------------------------------------------


@pytest.mark.parametrize(
    "unsigned",
    [
        attribute("content_type", "data"),
        attribute("message_digest", bytes(32)),
        signing_time(),
        signing_certificate_v1(load("signature")),
        signing_certificate_v2(load("signature")),
        attribute(
            "cms_algorithm_protection",
            cms.CMSAlgorithmProtection(
                {
                    "digest_algorithm": {"algorithm": "sha256"},
                    "signature_algorithm": {"algorithm": "sha256_rsa"},
                }
            ),
        ),
    ],
    ids=lambda each: each["type"].native,
)
def test_what_must_be_signed_may_not_stand_among_the_unsigned(unsigned):
    report = verify(signed_data(Forgery(unsigned=[unsigned])))
    assert reasons_of(report) == [Reason.SIGNED_ATTRIBUTES_INVALID]


def test_unsigned_attributes_change_nothing_of_what_is_reported():
    plain = verify(signed_data(Forgery())).signatures[0]
    junk = [attribute("1.2.3.4", core.OctetString(bytes(1000))) for _ in range(50)]
    assert verify(signed_data(Forgery(unsigned=junk))).signatures[0] == plain


# --- what else stands in the container ----------------------------------------------------------


def with_extras(*, crls: bytes = b"", choices: bytes = b"") -> bytes:
    """A sound signature with revocation data, or other things, beside its certificate."""
    info = cms.ContentInfo.load(signed_data(Forgery()))
    content = info["content"]
    names = ("version", "digest_algorithms", "encap_content_info")
    parts = [content[name].dump() for name in names]
    parts.append(tagged(0, load("signature").public_bytes(Encoding.DER) + choices))
    if crls:
        parts.append(tagged(1, crls))
    parts.append(content["signer_infos"].dump())
    inner = core.Sequence(contents=b"".join(parts)).dump()
    return core.Sequence(contents=info["content_type"].dump() + tagged(0, inner)).dump()


def tagged(number: int, contents: bytes) -> bytes:
    return core.Asn1Value(contents=contents, class_=2, method=1, tag=number).dump()


def test_nothing_more_is_the_control():
    assert with_extras() == signed_data(Forgery())


def test_revocation_data_in_a_signature_are_not_asked():
    own = Crl(entries=[(load("signature").serial_number, None)]).build()
    foreign = Crl(key="foreign-ca").build()
    for crl in (own, foreign):
        report = verify(with_extras(crls=crl.public_bytes(Encoding.DER)))
        assert reasons_of(report) == []
        assert report.signatures[0].revocation is Revocation.NOT_CHECKED
        required = RevocationMaterial(mode=RevocationMode.REQUIRE)
        report = verify(with_extras(crls=crl.public_bytes(Encoding.DER)), revocation=required)
        assert reasons_of(report) == [Reason.REVOCATION_UNKNOWN]


def test_without_revocation_data_it_passes_and_says_so_or_is_undecided():
    report = verify(signed_data(Forgery()))
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].not_checked == (Unchecked.REVOCATION,)
    required = verify(
        signed_data(Forgery()), revocation=RevocationMaterial(mode=RevocationMode.REQUIRE)
    )
    assert required.verdict is Verdict.INDETERMINATE
    assert reasons_of(required) == [Reason.REVOCATION_UNKNOWN]


@pytest.mark.parametrize("kind", ["A003020100", "A1023000", "A2023000", "A30506032A0304"])
def test_certificates_of_other_kinds_are_passed_over(kind):
    assert reasons_of(verify(with_extras(choices=bytes.fromhex(kind)))) == []


def test_things_that_no_container_has_are_malformed():
    for number in (2, 3):
        sound = with_extras(crls=b"\x30\x00")
        odd = sound.replace(b"\xa1\x02\x30\x00", bytes([0xA0 + number, 2, 0x30, 0]))
        assert odd != sound
        assert reasons_of(verify(odd)) == [Reason.MALFORMED]


# --- one signature for another purpose ----------------------------------------------------------


def test_a_login_is_no_signature_of_a_document():
    forgery = Forgery(certificate=load("authentication"), key=load_key("authentication"))
    anchors = [*CA, load("authentication-ca")]
    report = verify_cms(signed_data(forgery), io.BytesIO(DOCUMENT), anchors, AT)
    assert Reason.WRONG_KEY_USAGE in reasons_of(report)
    assert report.verdict is Verdict.FAILED


def test_attributes_as_content_of_a_signature_without_attributes_fail():
    signed = Forgery().signer_info()["signed_attrs"].untag().dump()
    value = Forgery().signer_info()["signature"].native

    class Stolen(Forgery):
        def signer_info(self):
            info = super().signer_info()
            info["signature"] = value
            return info

    attack = Stolen(document=signed, without_attributes=True)
    report = verify(signed_data(attack, content=signed), None)
    assert reasons_of(report) == [Reason.SIGNED_ATTRIBUTES_MISSING]


# --- what is covered ----------------------------------------------------------------------------


def extracted(report: VerificationReport) -> bytes | None:
    (signature,) = report.signatures
    if signature.write_covered is None:
        return None
    output = io.BytesIO()
    signature.write_covered(output)
    return output.getvalue()


def test_exactly_the_content_that_is_attached_comes_out():
    for content in (b"", DOCUMENT, bytes(range(256)) * 9000):
        forgery = Forgery(document=content)
        assert extracted(verify(signed_data(forgery, content=content), None)) == content
        assert extracted(verify(signed_data(forgery, content=content), content)) == content
        assert extracted(verify(signed_data(forgery), content)) is None


def test_content_in_pieces_comes_out_whole():
    info = cms.ContentInfo.load(signed_data(Forgery(), content=DOCUMENT))
    content = info["content"]
    pieces = b"".join(b"\x04\x01" + bytes([byte]) for byte in DOCUMENT)
    indefinite = b"\xa0\x80\x24\x80" + pieces + bytes(4)
    encapsulated = core.Sequence(contents=DATA + indefinite).dump()
    before, after = ("version", "digest_algorithms"), ("certificates", "signer_infos")
    parts = [
        *(content[name].dump() for name in before),
        encapsulated,
        *(content[name].dump() for name in after),
    ]
    inner = core.Sequence(contents=b"".join(parts)).dump()
    changed = core.Sequence(contents=info["content_type"].dump() + tagged(0, inner)).dump()
    assert extracted(verify(changed, None)) == DOCUMENT


def test_ours_comes_out_too():
    attached = sign_cms(
        io.BytesIO(DOCUMENT),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        attached=True,
    )
    assert extracted(verify(attached, None)) == DOCUMENT
