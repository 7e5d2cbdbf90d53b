"""Lists that differ in what `support.revocation` does not vary: keys, names, points, entries."""

from dataclasses import replace
from datetime import datetime

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from support.pki import AT, SIGNATURE_LEAF, build_ca, key_usage, load, load_key
from support.revocation import DAY, Crl, der, distribution_point, scope

from jpki.certificates import Revocation
from jpki.certificates import crl as crl_module
from jpki.certificates.loading import load_certificate
from jpki.certificates.revocation import (
    EvidenceFault,
    RevocationMaterial,
    check_revocation,
    load_crls,
)
from jpki.errors import RevocationDataMalformedError

LEAF, CA = load("signature"), load("signature-ca")
SERIAL = LEAF.serial_number
REVOKED = Crl(entries=[(SERIAL, None)])


def look_up(item: x509.CertificateRevocationList, leaf=LEAF, issuer=CA):
    return check_revocation(leaf, issuer, AT, RevocationMaterial(crls=(item,)))


def faults(finding) -> list[EvidenceFault]:
    assert finding.status is Revocation.NOT_CHECKED
    return [item.fault for item in finding.rejected]


def signed_by(key, algorithm, **options) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA.subject)
    builder = builder.last_update(AT - DAY).next_update(AT + DAY)
    return builder.add_extension(scope(), critical=True).sign(key, algorithm, **options)


def edited(crl: Crl, edit) -> bytes:
    """The list, changed in a way that `cryptography` does not write, and signed again."""
    parsed = asn1_crl.CertificateList.load(der(crl.build()))
    edit(parsed)
    tbs = parsed["tbs_cert_list"].dump(force=True)
    parsed["signature"] = load_key("signature-ca").sign(tbs, PKCS1v15(), SHA256())
    return parsed.dump(force=True)


# --- the key and the algorithm ------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_rsa_with_sha_2_counts(algorithm):
    assert look_up(replace(REVOKED, algorithm=algorithm).build()).status is Revocation.REVOKED


@pytest.mark.parametrize(
    "item",
    [
        signed_by(load_key("signature-ca"), hashes.SHA224()),
        signed_by(
            load_key("signature-ca"),
            hashes.SHA256(),
            rsa_padding=PSS(MGF1(hashes.SHA256()), PSS.DIGEST_LENGTH),
        ),
        signed_by(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
    ],
    ids=["SHA-224", "PSS", "ECDSA"],
)
def test_no_other_algorithm_counts(item):
    assert faults(look_up(item)) == [EvidenceFault.WEAK_ALGORITHM]


def test_sha_1_does_not_count():
    # Nothing here signs with SHA-1 any more; the algorithm is refused before the signature.
    def edit(parsed):
        parsed["signature_algorithm"] = {"algorithm": "sha1_rsa"}
        parsed["tbs_cert_list"]["signature"] = {"algorithm": "sha1_rsa"}

    assert faults(look_up(*load_crls(edited(REVOKED, edit)))) == [EvidenceFault.WEAK_ALGORITHM]


def test_a_list_with_two_signature_algorithms_is_none():
    def edit(parsed):
        parsed["tbs_cert_list"]["signature"] = {"algorithm": "sha384_rsa"}

    assert load_crls(edited(Crl(), lambda parsed: None))
    with pytest.raises(RevocationDataMalformedError):
        load_crls(edited(Crl(), edit))


def test_a_ca_that_may_not_sign_lists_gives_none_that_count():
    key = load_key("signature-ca")
    without = build_ca(key, usage=key_usage("key_cert_sign"))
    assert faults(look_up(REVOKED.build(), issuer=without)) == [
        EvidenceFault.RESPONDER_NOT_AUTHORIZED
    ]
    assert look_up(REVOKED.build(), issuer=build_ca(key)).status is Revocation.REVOKED


# --- names and points ---------------------------------------------------------------------------


def printable(name: x509.Name) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(part.oid, part.value, _ASN1Type.PrintableString) for part in name]
    )


def test_the_same_words_in_another_string_type_are_another_name():
    assert faults(look_up(replace(REVOKED, issuer=printable(CA.subject)).build())) == [
        EvidenceFault.OTHER_ISSUER
    ]
    (directory,) = distribution_point()
    assert isinstance(directory, x509.DirectoryName)
    other = [x509.DirectoryName(printable(directory.value))]
    assert faults(look_up(replace(REVOKED, scope=scope(other)).build())) == [
        EvidenceFault.OTHER_SCOPE
    ]


def test_a_point_relative_to_the_issuer_is_not_resolved():
    part = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "CRLDP")])
    relative = scope([], relative_name=part)
    assert faults(look_up(replace(REVOKED, scope=relative).build())) == [EvidenceFault.OTHER_SCOPE]


def leaf_with_point(**changes):
    """The usual signer, with another distribution point; without one if there are no changes."""
    leaf = LEAF
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(leaf.public_key())
        .serial_number(SERIAL)
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
    )
    if changes:
        arguments = {
            "full_name": distribution_point(),
            "relative_name": None,
            "reasons": None,
            "crl_issuer": None,
            **changes,
        }
        point = x509.DistributionPoint(**arguments)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(load_key("signature-ca"), SHA256())


def test_a_certificate_without_a_point_of_its_own_is_on_no_partial_list():
    without = leaf_with_point()
    assert faults(look_up(REVOKED.build(), leaf=without)) == [EvidenceFault.OTHER_SCOPE]
    whole = replace(REVOKED, scope=None).build()
    assert look_up(whole, leaf=without).status is Revocation.REVOKED


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": frozenset({x509.ReasonFlags.key_compromise})},
        {"crl_issuer": [x509.DirectoryName(CA.subject)]},
    ],
    ids=["some reasons", "another issuer"],
)
def test_a_point_of_some_reasons_or_of_another_issuer_is_none_for_a_complete_list(changes):
    assert faults(look_up(REVOKED.build(), leaf=leaf_with_point(**changes))) == [
        EvidenceFault.OTHER_SCOPE
    ]
    sound = leaf_with_point(full_name=distribution_point())
    assert look_up(REVOKED.build(), leaf=sound).status is Revocation.REVOKED


def test_an_odd_name_makes_no_warning():
    """Warnings are errors here; a person would see them on stderr."""

    def edit(parsed):
        parsed["tbs_cert_list"]["issuer"] = asn1_x509.Name.build({"country_name": "JAPAN"})

    (odd,) = load_crls(edited(REVOKED, edit))
    with pytest.warns(UserWarning, match="length"):
        str(load_crls(edited(REVOKED, edit))[0].issuer)
    assert faults(look_up(odd)) == [EvidenceFault.OTHER_ISSUER]


# --- entries ------------------------------------------------------------------------------------


def test_a_list_without_its_end_is_stale():
    def edit(parsed):
        parsed["tbs_cert_list"]["next_update"] = None

    (endless,) = load_crls(edited(Crl(), edit))
    assert endless.next_update_utc is None
    assert faults(look_up(endless)) == [EvidenceFault.STALE]
    (revoking,) = load_crls(edited(REVOKED, edit))
    assert look_up(revoking).status is Revocation.REVOKED


def entry(serial_number: int, *extensions: tuple[x509.ExtensionType, bool]):
    builder = x509.RevokedCertificateBuilder().serial_number(serial_number)
    builder = builder.revocation_date(AT - DAY)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.build()


def listing(*entries: x509.RevokedCertificate) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA.subject)
    builder = builder.last_update(AT - DAY).next_update(AT + DAY)
    for item in entries:
        builder = builder.add_revoked_certificate(item)
    return builder.sign(load_key("signature-ca"), SHA256())


REASON = x509.CRLReason(x509.ReasonFlags.superseded)
SINCE = x509.InvalidityDate(datetime(2026, 5, 1))  # noqa: DTZ001  # cryptography takes none
OTHER_CA = x509.CertificateIssuer([x509.DirectoryName(load("authentication-ca").subject)])


class WalkedError(Exception):
    """The entries were walked through."""


@pytest.fixture
def no_walk(monkeypatch):
    """Reading one entry after the other ends the test: 100,000 take half a second."""

    def refuse(_crl):
        raise WalkedError

    monkeypatch.setattr(crl_module, "_walk", refuse, raising=True)


@pytest.mark.usefixtures("no_walk")
@pytest.mark.parametrize(
    "extensions",
    [[], [(REASON, False)], [(REASON, True)], [(REASON, True), (SINCE, True)]],
    ids=["none", "not critical", "critical", "both critical"],
)
def test_a_list_of_known_extensions_is_not_walked_through(extensions):
    # 0101FF in a serial number is no critical extension: the numbers of a CA count upwards.
    item = listing(*(entry(number, *extensions) for number in (0x0101FF17, 0x0301FF02, 9)))
    assert look_up(item).status is Revocation.GOOD


@pytest.mark.usefixtures("no_walk")
def test_a_list_that_may_have_an_unknown_critical_extension_is_walked_through():
    with pytest.raises(WalkedError):
        look_up(listing(entry(9, (OTHER_CA, True))))


def test_a_serial_number_that_looks_like_a_critical_extension_is_none():
    assert look_up(listing(entry(0x0101FF04))).status is Revocation.GOOD


@pytest.mark.parametrize("count", [0, 3])
def test_an_entry_of_another_ca_spoils_the_list_among_critical_reasons(count):
    known = [entry(number, (REASON, True)) for number in range(1, count + 1)]
    assert look_up(listing(*known)).status is Revocation.GOOD
    spoiled = listing(*known, entry(99, (OTHER_CA, True), (REASON, True)))
    assert faults(look_up(spoiled)) == [EvidenceFault.UNKNOWN_CRITICAL_EXTENSION]


# --- the caller ---------------------------------------------------------------------------------


def test_a_time_without_a_zone_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="time zone"):
        check_revocation(LEAF, CA, AT.replace(tzinfo=None), RevocationMaterial())


def test_a_serial_number_that_is_not_positive_makes_no_warning():
    built = replace(SIGNATURE_LEAF, serial_number=1).build(
        load_key("signature").public_key(), load_key("signature-ca")
    )
    data = built.public_bytes(Encoding.DER).replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    zero = load_certificate(data)
    with pytest.warns(UserWarning, match="serial number"):
        assert zero.serial_number == 0
    assert look_up(Crl().build(), leaf=zero).status is Revocation.GOOD


# --- a certificate that is listed twice ---------------------------------------------------------

Flag = x509.ReasonFlags
HOLD, COMPROMISED = (SERIAL, Flag.certificate_hold), (SERIAL, Flag.key_compromise)


@pytest.mark.parametrize("entries", [(HOLD, COMPROMISED), (COMPROMISED, HOLD)])
def test_of_two_entries_the_worse_one_counts_whichever_stands_first(entries):
    others = [(number, None) for number in range(2, 5)]
    finding = look_up(Crl(entries=[*others, *entries]).build())
    assert (finding.status, finding.reason) == (Revocation.REVOKED, "keyCompromise")


def test_two_holds_are_a_hold():
    assert look_up(Crl(entries=[HOLD, HOLD]).build()).status is Revocation.SUSPENDED
