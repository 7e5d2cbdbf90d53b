"""PDF signatures verified: who, when, at which level; found by the form and nowhere else."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support import pdf
from support.cms import Forgery, signed_data, signing_certificate_v2
from support.pki import (
    AT,
    LEAF_UNTIL,
    SIGNATURE_LEAF,
    build_ca,
    load,
    load_key,
)
from support.revocation import Crl
from support.signed_pdf import (
    HandSigned,
    document_timestamp,
    notes,
    only,
    reasons,
    sign,
    verify,
)
from support.timestampers import LocalTimestamper

from jpki.certificates import Revocation
from jpki.certificates.revocation import RevocationMaterial, RevocationMode, load_crls
from jpki.signing.pdf_options import PdfProfile
from jpki.verification import AnchorOrigin, Coverage, Level, Reason, Verdict

PLAIN = pdf.build(pdf.one_page())
DAY = timedelta(days=1)
BAD = {"digest-mismatch", "malformed", "signature-invalid"}


def crl_der(*serial_numbers: int) -> bytes:
    entries = [(serial_number, None) for serial_number in serial_numbers]
    return Crl(entries=entries).build().public_bytes(Encoding.DER)


def tampered(document: bytes) -> bytes:
    changed = document.replace(b"100 YEN", b"900 YEN")
    assert changed != document
    return changed


# Levels and times


def test_what_is_signed_here_is_pades_b_b() -> None:
    signature = only(verify(sign(PLAIN)))
    assert signature.level is Level.PADES_B_B
    assert signature.signing_time == AT
    assert signature.signer is not None
    assert signature.signer.holder is not None
    assert signature.signer.holder.name == "見本　太郎"
    assert signature.timestamp is None


def test_the_form_of_touki_is_a_plain_pdf_signature() -> None:
    signature = only(verify(sign(PLAIN, profile=PdfProfile.TOUKI)))
    assert signature.verdict is Verdict.PASSED
    assert signature.level is Level.PDF
    assert signature.signing_time == AT


def test_a_timestamp_over_the_signature_makes_b_t() -> None:
    signature = only(verify(sign(PLAIN, timestamper=LocalTimestamper())))
    assert signature.verdict is Verdict.PASSED
    assert signature.level is Level.PADES_B_T
    assert signature.timestamp is not None
    assert signature.timestamp.time == AT
    assert signature.timestamp.verdict is Verdict.PASSED


def test_a_timestamp_over_something_else_makes_nothing() -> None:
    stamper = LocalTimestamper()
    stamper.timestamp = lambda digest, algorithm: LocalTimestamper.timestamp(  # type: ignore[method-assign]
        stamper, bytes(32), algorithm
    )
    signature = only(verify(sign(PLAIN, timestamper=stamper)))
    assert signature.verdict is Verdict.PASSED
    assert signature.level is Level.PADES_B_B
    assert signature.timestamp is not None
    assert signature.timestamp.verdict is Verdict.FAILED


def test_a_timestamp_keeps_a_signature_alive_when_the_certificate_is_over() -> None:
    signed = sign(PLAIN, timestamper=LocalTimestamper())
    after = LEAF_UNTIL + DAY
    late = only(verify(signed, at=after))
    assert late.verdict is Verdict.PASSED
    assert "expired-after-timestamp" in notes(verify(signed, at=after))[0]
    assert "expired" in reasons(verify(sign(PLAIN), at=after))


def test_a_timestamp_over_the_document_makes_b_t_too() -> None:
    report = verify(document_timestamp(sign(PLAIN)))
    signature = only(report)
    assert signature.verdict is Verdict.PASSED, reasons(report)
    assert signature.level is Level.PADES_B_T
    assert signature.notes[0].value == "extended-after-signing"
    assert [stamp.verdict for stamp in report.document_timestamps] == [Verdict.PASSED]
    assert signature.timestamp == report.document_timestamps[0]


def with_store(document: bytes, *, crl: bytes | None = None, certificate: bytes = b"") -> bytes:
    """Add a document security store: a certificate, and a CRL or nothing."""
    size = pdf.size_of(document)
    catalog = pdf.object_body(document, 1).replace(b"/Pages", b"/DSS %d 0 R /Pages" % size)
    lists = b"" if crl is None else b"/CRLs [%d 0 R]" % (size + 2)
    objects = {
        1: catalog,
        size: b"<< /Type /DSS /Certs [%d 0 R] %s >>" % (size + 1, lists),
        size + 1: pdf.stream(certificate or load("signature-ca").public_bytes(Encoding.DER)),
    }
    if crl is not None:
        objects[size + 2] = pdf.stream(crl)
    return pdf.update(document, objects)


def test_data_for_later_checks_make_b_lt_and_a_timestamp_over_them_b_lta() -> None:
    stamped = sign(PLAIN, timestamper=LocalTimestamper())
    without = only(verify(with_store(stamped)))
    assert without.level is Level.PADES_B_T  # nothing on revocation
    complete = with_store(stamped, crl=crl_der())
    long_term = only(verify(complete))
    assert (long_term.verdict, long_term.level) == (Verdict.PASSED, Level.PADES_B_LT)
    archived = only(verify(document_timestamp(complete)))
    assert (archived.verdict, archived.level) == (Verdict.PASSED, Level.PADES_B_LTA)
    early = only(verify(with_store(document_timestamp(stamped), crl=crl_der())))
    assert early.level is Level.PADES_B_LT  # the timestamp was there before the data


def test_a_crl_in_the_document_counts() -> None:
    require = RevocationMaterial(mode=RevocationMode.REQUIRE)
    stamped = sign(PLAIN)
    assert "revocation-unknown" in reasons(verify(stamped, revocation=require))
    good = only(verify(with_store(stamped, crl=crl_der()), revocation=require))
    assert (good.verdict, good.revocation) == (Verdict.PASSED, Revocation.GOOD)
    revoking = crl_der(SIGNATURE_LEAF.serial_number)
    assert "revoked" in reasons(verify(with_store(stamped, crl=revoking)))
    given = RevocationMaterial(crls=load_crls(revoking))
    assert "revoked" in reasons(verify(stamped, revocation=given))


def test_what_is_no_crl_in_the_document_is_left_out() -> None:
    signature = only(verify(with_store(sign(PLAIN), crl=b"rubbish")))
    assert (signature.verdict, signature.revocation) == (Verdict.PASSED, Revocation.NOT_CHECKED)


def test_a_ca_in_the_document_is_no_anchor() -> None:
    # Anybody can put a CA there; only those of J-LIS are known by themselves.
    report = verify(with_store(sign(PLAIN)), [])
    assert reasons(report) == {"no-anchor"}
    assert report.verdict is Verdict.INDETERMINATE


@pytest.mark.usefixtures("pinned_signature_ca")
def test_a_pinned_ca_in_the_document_is_an_anchor() -> None:
    report = verify(with_store(sign(PLAIN)), [])
    assert only(report).anchor is AnchorOrigin.PINNED
    assert reasons(report) == {"wrong-policy"}  # that of the test scheme


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"(D:20260601120000+09'00')", AT),
        (b"(D:20260601030000Z)", AT),
        (b"(D:20260601120000)", None),  # nobody knows where
        (b"(D:20261301120000+09'00')", None),
        (b"(yesterday)", None),
        (b"20260601", None),
        (b"[]", None),
    ],
)
def test_the_claimed_time_is_that_of_the_dictionary(
    written: bytes, expected: datetime | None
) -> None:
    document = HandSigned(
        dictionary="<< /Type /Sig /SubFilter /adbe.pkcs7.detached /M "
        + written.decode()
        + " /ByteRange %(range)s /Contents %(contents)s >>",
        forgery={"attributes": [signing_certificate_v2(load("signature"))]},
    ).document()
    signature = only(verify(document))
    assert signature.verdict is Verdict.PASSED
    assert signature.signing_time == expected


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (LEAF_UNTIL + DAY, "signing-time-invalid"),
        (datetime(2020, 1, 1, tzinfo=UTC), "signing-time-invalid"),
        (AT + DAY, "signing-time-in-future"),
    ],
)
def test_a_time_that_cannot_be_is_not_believed(moment: datetime, reason: str) -> None:
    text = moment.astimezone(timezone(timedelta(hours=9))).strftime("D:%Y%m%d%H%M%S+09'00'")
    document = HandSigned(
        dictionary=f"<< /Type /Sig /SubFilter /adbe.pkcs7.detached /M ({text})"
        " /ByteRange %(range)s /Contents %(contents)s >>",
        forgery={"attributes": [signing_certificate_v2(load("signature"))]},
    ).document()
    assert reason in reasons(verify(document))


def test_pades_without_what_it_asks_for_is_a_plain_signature() -> None:
    sound = (
        "<< /Type /Sig /SubFilter /ETSI.CAdES.detached /M (D:20260601120000+09'00')"
        " /ByteRange %(range)s /Contents %(contents)s >>"
    )
    reference = {"attributes": [signing_certificate_v2(load("signature"))]}
    variants = {
        Level.PADES_B_B: HandSigned(dictionary=sound, forgery=reference),
        Level.PDF: HandSigned(dictionary=sound),  # the time stands in the CMS
    }
    for level, made in variants.items():
        assert only(verify(made.document())).level is level
    timeless = sound.replace("/M (D:20260601120000+09'00')", "")
    assert only(verify(HandSigned(dictionary=timeless, forgery=reference).document())).level is (
        Level.PDF
    )
    bare = HandSigned(dictionary=sound, forgery={"attributes": []})
    assert only(verify(bare.document())).level is Level.PDF


# Kinds of signatures


@pytest.mark.parametrize(
    ("subfilter", "reason"),
    [
        ("/adbe.pkcs7.sha1", "weak-algorithm"),
        ("/adbe.x509.rsa_sha1", "weak-algorithm"),
        ("/ETSI.RFC3161", "unsupported-format"),
        ("/Evil", "unsupported-format"),
        ("null", "unsupported-format"),
        ("(adbe.pkcs7.detached)", "unsupported-format"),
    ],
)
def test_another_kind_of_signature_is_refused(subfilter: str, reason: str) -> None:
    document = HandSigned(
        dictionary=f"<< /Type /Sig /SubFilter {subfilter}"
        " /ByteRange %(range)s /Contents %(contents)s >>"
    ).document()
    report = verify(document)
    assert report.verdict is Verdict.FAILED
    assert reason in reasons(report)


def test_something_that_calls_itself_no_signature_is_refused() -> None:
    document = HandSigned(
        dictionary="<< /Type /SigRef /SubFilter /adbe.pkcs7.detached"
        " /ByteRange %(range)s /Contents %(contents)s >>"
    ).document()
    assert "unsupported-format" in reasons(verify(document))


def test_a_signature_called_a_timestamp_is_none() -> None:
    document = HandSigned(
        dictionary="<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161"
        " /ByteRange %(range)s /Contents %(contents)s >>"
    ).document()
    report = verify(document)
    assert reasons(report) == {"no-signature", "document-timestamp-invalid"}


def test_a_timestamp_called_a_signature_is_none() -> None:
    stamped = document_timestamp(PLAIN)
    dressed = stamped.replace(b"/Type /DocTimeStamp", b"/Type /Sig         ")
    assert dressed != stamped
    assert verify(dressed).verdict is Verdict.FAILED


def test_a_document_with_a_timestamp_alone_is_not_signed() -> None:
    report = verify(document_timestamp(PLAIN))
    assert reasons(report) == {"no-signature"}
    assert [stamp.time for stamp in report.document_timestamps] == [AT]


def test_a_document_timestamp_that_does_not_fit_fails_the_document() -> None:
    stamped = document_timestamp(sign(PLAIN))
    assert verify(stamped).verdict is Verdict.PASSED
    forged = document_timestamp(sign(PLAIN), imprint=bytes(32))
    report = verify(forged)
    assert Reason.DOCUMENT_TIMESTAMP_INVALID in report.reasons
    assert report.verdict is Verdict.FAILED


def test_a_document_timestamp_of_a_stranger_proves_nothing_and_spoils_nothing() -> None:
    from support.tsa import build_authority

    stranger = build_ca(load_key("foreign-ca"))
    by_stranger = build_authority(issuer=stranger, issuer_key=load_key("foreign-ca"))
    report = verify(document_timestamp(sign(PLAIN), certificate=by_stranger))
    assert only(report).verdict is Verdict.PASSED
    assert report.document_timestamps[0].verdict is not Verdict.PASSED
    assert report.reasons == ()


def test_content_inside_the_cms_is_refused() -> None:
    made = HandSigned()
    made.make = lambda signed: signed_data(Forgery(document=b"x"), content=b"x")
    assert "content-conflict" in reasons(verify(made.document()))
    made.make = lambda signed: signed_data(Forgery(document=signed))
    assert verify(made.document()).verdict is Verdict.PASSED


def test_two_signers_in_one_field_are_two_signatures() -> None:
    made = HandSigned()
    made.make = lambda signed: signed_data(
        Forgery(document=signed), Forgery(document=signed + b"forged")
    )
    report = verify(made.document())
    assert sorted(each.verdict for each in report.signatures) == [Verdict.FAILED, Verdict.PASSED]
    assert report.verdict is Verdict.FAILED


# Item 27: found where readers find them


@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_one_forged_signature_of_two_fails_the_document(which: int) -> None:
    def made(base: bytes, number: int) -> bytes:
        forged = number == which
        return HandSigned(
            base=base,
            name=b"(Hand%d)" % number,
            forgery={"message_digest": bytes(32)} if forged else {},
        ).document()

    both = made(made(PLAIN, 0), 1)
    report = verify(both)
    assert report.verdict is Verdict.FAILED
    verdicts = [each.verdict for each in report.signatures]
    assert verdicts[which] is Verdict.FAILED
    assert reasons(report) & BAD


def test_two_sound_signatures_pass() -> None:
    first = HandSigned().document()
    report = verify(HandSigned(base=first, name=b"(Other)").document())
    assert [each.verdict for each in report.signatures] == [Verdict.PASSED, Verdict.PASSED]


def test_a_signature_in_a_comment_is_none() -> None:
    signed = sign(PLAIN)
    start = signed.index(b"/Contents <")
    decoy = signed[start - 100 : start + 200].replace(b"\n", b" ").replace(b"\r", b" ")
    commented = PLAIN.replace(b"1 0 obj", b"%" + decoy + b"\n1 0 obj", 1)
    # the table's places are wrong now, so the file is written anew with the comment in front
    header = pdf.HEADER + b"%" + decoy + b"\n"
    assert commented != PLAIN
    assert reasons(verify(pdf.build(pdf.one_page(), header=header))) == {"no-signature"}


def test_a_signature_in_a_stream_is_none() -> None:
    signed = sign(PLAIN)
    hidden = pdf.one_page() | {6: pdf.stream(signed)}
    assert reasons(verify(pdf.build(hidden))) == {"no-signature"}
    # An attachment does no harm either.
    assert verify(sign(pdf.build(hidden))).verdict is Verdict.PASSED


def test_a_signature_that_no_field_holds_is_named() -> None:
    signed = sign(PLAIN)
    number = pdf.size_of(signed) - 1
    while b"/ByteRange" not in pdf.object_body(signed, number):
        number -= 1
    loose = pdf.one_page() | {7: pdf.object_body(signed, number)}
    report = verify(pdf.build(loose))
    assert reasons(report) == {"phantom-signature", "no-signature"}
    report = verify(sign(pdf.build(loose)))
    assert reasons(report) == {"phantom-signature"}
    assert only(report).verdict is Verdict.PASSED
    assert report.verdict is Verdict.FAILED


def test_a_signature_that_was_removed_is_named() -> None:
    first = sign(PLAIN)
    field = next(
        number
        for number in range(7, pdf.size_of(first))
        if b"/FT /Sig" in pdf.object_body(first, number)
    )
    body = pdf.object_body(first, field)
    emptied = pdf.update(first, {field: body[: body.index(b"/V ")] + b">>"})
    assert reasons(verify(emptied)) == {"phantom-signature", "no-signature"}


def test_a_signature_in_two_fields_is_refused() -> None:
    # A recycled signature: the second field shows it at another place, and all of it is covered.
    base = pdf.build(pdf.one_page())
    again = pdf.size_of(base) + 5
    field = pdf.signature_field(b"(Again)", b"/V %d 0 R" % (pdf.size_of(base) + 1))
    once = HandSigned(base=base, extra_objects={again: field})
    assert verify(once.document()).verdict is Verdict.PASSED
    twice = HandSigned(base=base, extra_objects={again: field}, more_fields=[again])
    report = verify(twice.document())
    assert report.verdict is Verdict.FAILED
    assert reasons(report) == {"phantom-signature"}


def test_a_new_field_cannot_reuse_an_old_signature() -> None:
    signed = HandSigned().document()
    size = pdf.size_of(signed)
    catalog = pdf.object_body(signed, 1)
    old = size - 1
    again = catalog.replace(b"/Fields [", b"/Fields [%d 0 R " % size)
    changed = pdf.update(signed, {1: again, size: pdf.signature_field(b"(X)", b"/V %d 0 R" % old)})
    report = verify(changed)
    assert report.verdict is Verdict.FAILED
    assert "phantom-signature" in reasons(report)


def test_a_signature_object_that_was_replaced_is_refused() -> None:
    signed = HandSigned().document()
    number = pdf.size_of(signed) - 1
    body = pdf.object_body(signed, number)
    replaced = pdf.update(signed, {number: body.replace(b"/Type /Sig", b"/Type /Sig /Name (X)")})
    assert verify(replaced).verdict is Verdict.FAILED


def test_the_table_decides_which_dictionary_is_the_signature() -> None:
    # A search through the text would find the sound one; the table leads to another.
    signed = HandSigned().document()
    number = pdf.size_of(signed) - 1
    place = signed.index(b"%d 0 obj" % number)
    decoy = b"%d 0 obj\n<< /Type /Sig >>\nendobj\n" % number
    moved = signed.replace(b"%010d 00000 n" % place, b"%010d 00000 n" % len(signed))
    assert moved != signed
    assert verify(moved + decoy).verdict is Verdict.FAILED


def test_adobes_usage_rights_are_no_phantom() -> None:
    body = b"<< /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 3] /Contents <30> >>"
    objects = pdf.one_page(catalog=b"/Perms << /UR3 6 0 R >>") | {6: body}
    assert verify(sign(pdf.build(objects))).verdict is Verdict.PASSED


# Encryption


def encrypted(password: str = "", *, mac: bool = False) -> bytes:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(PLAIN)))
    writer.encrypt(owner_pass="owner", user_pass=password, pdf_mac=mac)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def test_an_encrypted_document_is_verified_with_its_password() -> None:
    signed = sign(encrypted("himitsu"), password="himitsu")
    report = verify(signed, password="himitsu")
    assert report.verdict is Verdict.PASSED
    assert only(report).signing_time == AT  # a string, so encrypted
    assert only(report).covers is Coverage.WHOLE
    twice = sign(signed, password="himitsu")
    assert verify(twice, password="owner").verdict is Verdict.PASSED


def test_without_its_password_it_is_indeterminate() -> None:
    signed = sign(encrypted("himitsu"), password="himitsu")
    for password in (None, "wrong"):
        report = verify(signed, password=password)
        assert reasons(report) == {"encrypted"}
        assert report.verdict is Verdict.INDETERMINATE


def test_what_opens_without_a_password_needs_none() -> None:
    signed = sign(encrypted())
    assert verify(signed).verdict is Verdict.PASSED
    assert verify(signed, password="unneeded").verdict is Verdict.PASSED


def test_an_encrypted_document_whose_mac_fails_is_damaged() -> None:
    sound = encrypted("himitsu", mac=True)
    assert reasons(verify(sound, password="himitsu")) == {"no-signature"}
    assert reasons(verify(sound + b"\n", password="himitsu")) == {"malformed"}


def test_an_encrypted_document_that_was_tampered_with_fails() -> None:
    signed = bytearray(sign(encrypted("himitsu"), password="himitsu"))
    signed[200] ^= 1
    assert verify(bytes(signed), password="himitsu").verdict is Verdict.FAILED


# The rest


def test_a_changed_byte_fails() -> None:
    assert reasons(verify(tampered(sign(PLAIN)))) == {"digest-mismatch"}


def test_a_document_without_signature_fails() -> None:
    assert reasons(verify(PLAIN)) == {"no-signature"}
    empty = pdf.build(pdf.with_form(pdf.signature_field(b"(empty)")))
    assert reasons(verify(empty)) == {"no-signature"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-",
        b"%PDF-1.7\n",
        b"hello",
        b"\n" + PLAIN,
        PLAIN[:-60],
        PLAIN[:200],
        b"%PDF-" * 99,
    ],
)
def test_what_is_no_pdf_is_malformed(data: bytes) -> None:
    assert reasons(verify(data)) == {"malformed"}


def test_a_naive_time_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        verify(PLAIN, at=datetime(2026, 6, 1))  # noqa: DTZ001


def test_nothing_is_written_to_the_log_or_to_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    signed = sign(PLAIN)
    verify(pdf.update(signed, {4: pdf.page_content("X")}))
    verify(signed[:-100])
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
