"""Verifying XML signatures: sound forms, what they cover, files beside them, and bounds."""

import base64
import io
import time
from hashlib import sha256

import pytest
from support.pki import AT, load, load_key
from support.xml_signatures import (
    C14N,
    C14N11,
    ENVELOPED,
    EXCLUSIVE,
    MORE,
    PROPERTIES,
    SHA1,
    Document,
    Ref,
    Sig,
    key_value,
    qualifying_properties,
    x509_data,
)

from jpki.certificates import AnchorOrigin, Revocation
from jpki.signing import HashAlgorithm
from jpki.verification import (
    Coverage,
    Level,
    Reason,
    SignatureReport,
    Unchecked,
    Verdict,
    VerificationReport,
)
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = '<申請 xmlns="urn:x" id="all"><明細 id="part"><金額>100</金額></明細>{}</申請>'
XADES_SIG = Sig(references=(Ref(), PROPERTIES), objects=qualifying_properties())


def sign(signature: Sig | None = None, text: str = TEXT, **more) -> bytes:
    return Document(text=text, signature=signature or Sig(), **more).sign()


def verify(document: bytes, anchors=CA, at=AT, **more) -> VerificationReport:
    return verify_xml(document, anchors, at, **more)


def only(report: VerificationReport) -> SignatureReport:
    assert report.reasons == ()
    (signature,) = report.signatures
    assert (signature.verdict is Verdict.PASSED) is not bool(signature.reasons)
    return signature


def reasons_of(document: bytes, **more) -> list[Reason]:
    report = verify(document, **more)
    found = [*report.reasons]
    for signature in report.signatures:
        found += signature.reasons
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def covered_bytes(signature: SignatureReport) -> bytes:
    assert signature.write_covered is not None
    output = io.BytesIO()
    signature.write_covered(output)
    return output.getvalue()


# --- the controls -------------------------------------------------------------------------------


def test_a_sound_signature_passes_and_says_what_was_not_checked():
    signature = only(verify(sign(XADES_SIG)))
    assert signature.reasons == ()
    assert signature.level is Level.XADES_B_B
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, None)
    assert signature.signing_time == AT
    assert signature.hash_algorithm is HashAlgorithm.SHA256
    assert signature.anchor is AnchorOrigin.TEST
    assert signature.path is not None
    assert signature.path.anchor_certificate == load("signature-ca")
    assert signature.signer is not None
    assert signature.revocation is Revocation.NOT_CHECKED
    assert signature.not_checked == (Unchecked.REVOCATION,)
    assert signature.notes == ()


def test_what_was_signed_is_shown_without_the_signature():
    expected = TEXT.replace("{}", "").encode()
    assert covered_bytes(only(verify(sign()))) == expected


def test_a_part_is_named_and_shown_alone():
    signature = only(verify(sign(Sig(references=(Ref(uri="#part", transforms=(C14N,)),)))))
    assert (signature.covers, signature.covered) == (Coverage.PART, "#part 明細")
    expected = '<明細 xmlns="urn:x" id="part"><金額>100</金額></明細>'
    assert covered_bytes(signature) == expected.encode()


def test_several_parts_are_all_named_and_shown_in_their_order():
    text = '<r><a Id="x">1</a><b ID="y">2</b><c xml:id="z">3</c>{}</r>'
    references = tuple(Ref(uri=uri, transforms=(C14N,)) for uri in ("#z", "#x"))
    signature = only(verify(sign(Sig(references=references), text)))
    assert (signature.covers, signature.covered) == (Coverage.PART, "#z c, #x a")
    assert covered_bytes(signature) == b'<c xml:id="z">3</c><a Id="x">1</a>'


def test_the_id_of_the_root_is_the_whole_document():
    """As in 控除証明書: the reference names the root element."""
    signature = only(verify(sign(Sig(references=(Ref(uri="#all"),)))))
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, None)
    assert covered_bytes(signature) == TEXT.replace("{}", "").encode()


def test_a_stylesheet_beside_the_root_is_signed_with_the_document_and_not_with_the_root():
    text = '<?xml-stylesheet href="a.xsl" type="text/xsl"?>' + TEXT
    assert only(verify(sign(text=text))).covers is Coverage.WHOLE
    by_id = Sig(references=(Ref(uri="#all"),))
    signature = only(verify(sign(by_id, text)))
    assert (signature.covers, signature.covered) == (Coverage.PART, "#all 申請")
    stylesheet = b'?><?xml-stylesheet href="evil.xsl"?>'
    assert only(verify(sign(by_id).replace(b"?>", stylesheet, 1))).covers is Coverage.PART
    added = sign().replace(b"?>", stylesheet, 1)
    assert only(verify(added)).reasons == (Reason.DIGEST_MISMATCH,)


@pytest.mark.parametrize("uri", ["#構成", "#%E6%A7%8B%E6%88%90"])
def test_japanese_ids_are_found_as_they_are_and_percent_encoded(uri):
    text = '<DataRoot><x id="構成">1</x>{}</DataRoot>'
    digest = base64.b64encode(sha256('<x id="構成">1</x>'.encode()).digest()).decode()
    reference = Ref(uri=uri, transforms=(C14N,), digest=digest)
    assert only(verify(sign(Sig(references=(reference,)), text))).covered == "#構成 x"


SOUND = {
    "no canonicalization": Sig(references=(Ref(transforms=(ENVELOPED,)),)),
    "with comments": Sig(references=(Ref(transforms=(ENVELOPED, C14N + "#WithComments")),)),
    "1.1": Sig(references=(Ref(transforms=(ENVELOPED, C14N11)),)),
    "exclusive": Sig(references=(Ref(transforms=(ENVELOPED, EXCLUSIVE)),)),
    "exclusive with comments": Sig(
        references=(Ref(transforms=(ENVELOPED, EXCLUSIVE + "WithComments")),)
    ),
    "no transforms": Sig(references=(Ref(uri="#part", transforms=()),)),
    "SignedInfo exclusive": Sig(
        canonicalization=f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
    ),
    "SignedInfo 1.1 with comments": Sig(
        canonicalization=f'<ds:CanonicalizationMethod Algorithm="{C14N11}#WithComments"/>'
    ),
    "rsa-sha384": Sig(method=MORE + "rsa-sha384"),
    "rsa-sha512": Sig(method=MORE + "rsa-sha512"),
    "sha384": Sig(references=(Ref(digest_method=MORE + "sha384"),)),
    "sha512": Sig(references=(Ref(digest_method="http://www.w3.org/2001/04/xmlenc#sha512"),)),
    "CA first": Sig(certificates=("signature-ca", "signature")),
    "KeyValue": Sig(
        key_info=x509_data(load("signature")) + key_value(load_key("signature").public_key())
    ),
    "KeyName": Sig(key_info="<ds:KeyName>x</ds:KeyName>" + x509_data(load("signature"))),
    "XAdES": XADES_SIG,
    "XAdES, version 1": Sig(
        references=(Ref(), PROPERTIES),
        objects=qualifying_properties(element="SigningCertificate", digest_method=SHA1),
    ),
    "XAdES without time": Sig(
        references=(Ref(), PROPERTIES), objects=qualifying_properties(time=None)
    ),
    "XAdES with time of Japan": Sig(
        references=(Ref(), PROPERTIES),
        objects=qualifying_properties(time="2026-06-01T12:00:00.250+09:00"),
    ),
    "enveloping": Sig(
        references=(Ref(uri="#o", transforms=(C14N,)),), objects='<ds:Object Id="o">1</ds:Object>'
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_other_sound_forms_pass(name):
    assert reasons_of(sign(SOUND[name])) == []


def test_prefixes_of_the_exclusive_method_are_kept():
    text = '<r xmlns:p="urn:p" xmlns:q="urn:q"><part id="part" t="p:type"/>{}</r>'
    transform = (
        f'<ds:Transform Algorithm="{EXCLUSIVE}"><i:InclusiveNamespaces xmlns:i="{EXCLUSIVE}"'
        ' PrefixList="p"/></ds:Transform>'
    )
    reference = Ref(uri="#part", transforms_markup=transform)
    signature = only(verify(sign(Sig(references=(reference,)), text)))
    assert covered_bytes(signature) == b'<part xmlns:p="urn:p" id="part" t="p:type"></part>'


def test_a_time_without_zone_is_no_time():
    signature = Sig(
        references=(Ref(), PROPERTIES), objects=qualifying_properties(time="2026-06-01T12:00:00")
    )
    report = only(verify(sign(signature)))
    assert (report.reasons, report.signing_time, report.level) == ((), None, Level.XMLDSIG)


def test_an_id_may_have_another_name_if_the_caller_says_so():
    text = '<r><part key="k">1</part><part key="other" xmlns:w="urn:w" w:key="k2"/>{}</r>'
    digest = base64.b64encode(sha256(b'<part key="k">1</part>').digest()).decode()
    document = sign(Sig(references=(Ref(uri="#k", transforms=(C14N,), digest=digest),)), text)
    assert reasons_of(document, id_attribute="key") == []
    assert reasons_of(document) == [Reason.REFERENCE_UNRESOLVED]
    assert reasons_of(document, id_attribute="{urn:w}key") == [Reason.REFERENCE_UNRESOLVED]
    assert reasons_of(document, id_attribute="no name") == [Reason.REFERENCE_UNRESOLVED]


# --- files beside the document ------------------------------------------------------------------

FILES = {"a.txt": b"one", "%E7%94%B3%E8%AB%8B.xml": b"<x/>"}
NAMES = {"a.txt": b"one", "申請.xml": b"<x/>"}


def signed_files() -> bytes:
    references = tuple(Ref(uri=uri, transforms=()) for uri in FILES)
    return sign(Sig(references=references), "{}", files=FILES)


def given(**changes: bytes) -> dict[str, io.BytesIO]:
    return {name: io.BytesIO(data) for name, data in {**NAMES, **changes}.items()}


def test_files_are_covered_whole_and_named():
    signature = only(verify(signed_files(), detached_files=given()))
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, "a.txt, 申請.xml")
    assert signature.write_covered is None


def test_a_file_that_no_signature_covers_is_told():
    signature = only(verify(signed_files(), detached_files=given(**{"b.txt": b""})))
    assert signature.covers is Coverage.PART
    signature = only(verify(sign(), detached_files=given()))
    assert (signature.covers, signature.covered) == (Coverage.PART, "申請")


def test_a_name_with_percent_signs_means_what_it_encodes():
    reference = Ref(uri="a%20b.txt", transforms=())
    signature = sign(Sig(references=(reference,)), "{}", files={"a%20b.txt": b"signed"})
    encoded, literal = io.BytesIO(b"changed"), io.BytesIO(b"signed")
    files = {"a b.txt": encoded, "a%20b.txt": literal}
    assert reasons_of(signature, detached_files=files) == [Reason.DIGEST_MISMATCH]
    assert reasons_of(signature, detached_files={"a b.txt": io.BytesIO(b"signed")}) == []
    # Some write names as they are.
    assert reasons_of(signature, detached_files={"a%20b.txt": io.BytesIO(b"signed")}) == []


def test_missing_and_changed_files_fail():
    assert reasons_of(signed_files()) == [Reason.CONTENT_MISSING]
    files = given()
    del files["a.txt"]
    assert reasons_of(signed_files(), detached_files=files) == [Reason.CONTENT_MISSING]
    changed = given(**{"a.txt": b"ONE"})
    assert reasons_of(signed_files(), detached_files=changed) == [Reason.DIGEST_MISMATCH]


def test_a_file_is_read_once_for_all_signatures():
    first = Sig(references=(Ref(uri="a.txt", transforms=()),))
    other = Ref(uri="a.txt", transforms=(), digest_method=MORE + "sha384")
    text = sign(first, "<r>{}</r>", files=FILES).decode().split("?>", 1)[1]
    text = text.replace("</r>", "{}</r>")
    document = sign(Sig(id="second", references=(other,)), text, files=FILES)
    assert reasons_of(document, detached_files={"a.txt": io.BytesIO(b"one")}) == []


def test_a_file_that_vanishes_is_missing_and_one_that_cannot_be_read_is_an_error():
    class Vanishing(dict):
        def __getitem__(self, name):
            raise KeyError(name)

    class Broken(io.BytesIO):
        def readinto(self, buffer):
            raise OSError

    assert reasons_of(signed_files(), detached_files=Vanishing(given())) == [Reason.CONTENT_MISSING]
    with pytest.raises(OSError):  # noqa: PT011
        verify(signed_files(), detached_files={**given(), "a.txt": Broken()})


@pytest.mark.parametrize(
    "uri", ["file:///etc/hostname", "http://127.0.0.1:9/x", "/etc/hostname", "\\\\host\\x"]
)
def test_nothing_is_fetched_from_elsewhere(uri):
    digest = base64.b64encode(bytes(32)).decode()
    document = sign(Sig(references=(Ref(uri=uri, transforms=(), digest=digest),)))
    assert reasons_of(document) == [Reason.REFERENCE_EXTERNAL]


def test_a_file_is_not_transformed():
    document = sign(Sig(references=(Ref(uri="a.txt", transforms=(C14N,), digest="AAAA"),)))
    assert reasons_of(document, detached_files=given()) == [Reason.UNSUPPORTED_TRANSFORM]


# --- the document -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"text", b"<", b"<a", b"<a></b>", b"<a/><b/>", b"\x00" * 10, b"<a>&x;</a>", b"%PDF-1.7"],
)
def test_what_is_no_xml_is_malformed(data):
    assert reasons_of(data) == [Reason.MALFORMED]


def test_xml_without_a_signature_has_none():
    assert reasons_of(b"<a/>") == [Reason.NO_SIGNATURE]
    assert reasons_of(b'<Signature xmlns="urn:other"/>') == [Reason.NO_SIGNATURE]


def with_dtd(document: bytes, dtd: str) -> bytes:
    declaration, rest = document.split(b"?>", 1)
    return declaration + b"?>" + dtd.encode() + rest


def test_a_dtd_is_refused():
    assert reasons_of(sign()) == []
    assert reasons_of(with_dtd(sign(), "<!DOCTYPE 申請>")) == [Reason.DTD_PRESENT]
    dtd = "<!DOCTYPE 申請 [<!ATTLIST 明細 id ID #IMPLIED>]>"
    assert reasons_of(with_dtd(sign(), dtd)) == [Reason.DTD_PRESENT]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_dtd_in_another_encoding_is_refused(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE r [<!ENTITY x "1">]><r>&x;</r>'
    assert reasons_of(text.encode(encoding)) == [Reason.DTD_PRESENT]


def test_external_entities_are_not_read(tmp_path):
    sentinel = tmp_path / "sentinel.txt"
    sentinel.write_text("SENTINEL")
    before = sentinel.stat().st_atime_ns
    for kind in ("", "% "):
        dtd = f'<!DOCTYPE 申請 [<!ENTITY {kind}x SYSTEM "{sentinel.as_uri()}">]>'
        text = TEXT.replace("100", "&x;" if not kind else "100")
        document = dtd.encode() + text.replace("{}", "").encode()
        assert reasons_of(document) == [Reason.DTD_PRESENT]
    dtd = f'<!DOCTYPE 申請 SYSTEM "{sentinel.as_uri()}">'
    assert reasons_of(dtd.encode() + b"<a/>") == [Reason.DTD_PRESENT]
    assert sentinel.stat().st_atime_ns == before


@pytest.mark.parametrize("place", ["text", "attribute", "parameter"])
def test_a_billion_laughs_are_not_expanded(place):
    declare = "%% l%d" if place == "parameter" else "l%d"
    use = "&#37;l%d;" if place == "parameter" else "&l%d;"
    entities = "".join(
        f'<!ENTITY {declare % n} "{(use % (n - 1)) * 10 if n else "ha"}">' for n in range(30)
    )
    body = {"text": "<r>&l29;</r>", "attribute": '<r a="&l29;"/>', "parameter": "<r/>"}[place]
    more = "%l29;" if place == "parameter" else ""
    start = time.monotonic()
    assert reasons_of(f"<!DOCTYPE r [{entities}{more}]>{body}".encode()) == [Reason.DTD_PRESENT]
    assert time.monotonic() - start < 1
