"""What hostile XML costs: little, whatever it is made of."""

import base64

import pytest
from support.cost import cpu_within
from support.pki import AT, load, load_key
from support.xml_signatures import C14N, DS, ENVELOPED, Document, Ref, Sig

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.xml import check_xml, sign_xml
from jpki.signing.xml_bounds import MAX_ATTRIBUTES
from jpki.verification import Reason, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = '<申請 xmlns="urn:x" id="all"><明細 id="part"><金額>100</金額></明細>{}</申請>'
DIGEST = base64.b64encode(bytes(32)).decode()


def sign(signature: Sig | None = None, text: str = TEXT) -> bytes:
    return Document(text=text, signature=signature or Sig()).sign()


def reasons_of(document: bytes) -> list[Reason]:
    report = verify_xml(document, CA, AT)
    found = [*report.reasons]
    for signature in report.signatures:
        found += signature.reasons
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def is_refused(document: bytes, fault: DocumentFault = DocumentFault.XML_TOO_LARGE) -> bool:
    """For signing and for verifying alike, and at little cost."""
    with cpu_within(5):
        with pytest.raises(DocumentError) as refused:
            check_xml(document)
        return refused.value.fault is fault and reasons_of(document) == [Reason.MALFORMED]


def declarations(count: int) -> str:
    return "".join(f" xmlns:n{n}='urn:{n}'" for n in range(count))


def test_deep_and_huge_documents_are_refused():
    assert is_refused(b"<a>" * 100_000, DocumentFault.XML_TOO_DEEP)
    assert is_refused(b"<a>" * 300 + b"</a>" * 300, DocumentFault.XML_TOO_DEEP)
    for data in (
        b"<a>" + b"x" * 11_000_000 + b"</a>",
        b"<a/>" * 9_000_000,
        b"<a " + b'b="" ' * 9_000_000,
        bytes(129 << 20),
    ):
        assert is_refused(data)


def test_many_namespaces_are_refused_before_they_are_canonicalized():
    """libxml2 takes the square of them for each element: 64,000 would take a minute."""
    assert is_refused(f"<r{declarations(1001)}><a id='a'/></r>".encode())
    assert is_refused(f"<r{declarations(64_000)}><a id='a'/></r>".encode())
    assert is_refused(f"<r{declarations(200)}>{'<a/>' * 15_000}</r>".encode())
    nested = "".join(f"<a xmlns:n{n}='urn:{n}'>" for n in range(250))
    assert is_refused(f"{nested}{'<b/>' * 10_000}{'</a>' * 250}".encode())


def test_as_many_namespaces_as_documents_have_are_fine():
    for document in (
        f"<r{declarations(990)}>{'<a/>' * 200}</r>",
        f"<r{declarations(30)}>{'<a/>' * 100_000}</r>",
        "<r>" + "<a xmlns:n='urn:n' n:b=''/>" * 100_000 + "</r>",
    ):
        with cpu_within(15):
            signed = sign_xml(
                document.encode(), load_key("signature"), load("signature"), signing_time=AT
            )
            assert reasons_of(signed) == []


def test_many_attributes_are_refused():
    """libxml2 takes the square of them: 64,000 would take 16 seconds."""

    def element(count: int) -> bytes:
        attributes = "".join(f" a{n}=''" for n in range(count))
        return f"<r><a{attributes}/></r>".encode()

    assert is_refused(element(MAX_ATTRIBUTES + 1))
    assert is_refused(element(64_000))
    check_xml(element(MAX_ATTRIBUTES))


def test_references_may_not_cost_more_than_a_multiple_of_the_document():
    text = "<r>" + "<p>x</p>" * 400_000 + "{}</r>"
    references = (Ref(), *[Ref(digest=DIGEST)] * 999)
    document = sign(Sig(references=references), text)
    with cpu_within(20):  # 1000 times would be 100 s
        assert Reason.MALFORMED in reasons_of(document)


def test_too_many_signatures_or_references_are_refused():
    signature = sign(text="<r>{}</r>").split(b"?>", 1)[1].strip()
    assert reasons_of(b"<r>" + signature * 101 + b"</r>") == [Reason.MALFORMED]
    assert reasons_of(sign(Sig(references=(Ref(uri="#part", digest="AAAA"),) * 1001))) == [
        Reason.MALFORMED
    ]


def test_signatures_in_the_signed_info_of_each_other_are_not_canonicalized_again_and_again():
    filler = "<x/>" * 200_000
    start = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod'
        f' Algorithm="{C14N}"/>'
    )
    end = "</ds:SignedInfo><ds:SignatureValue/></ds:Signature>"
    with cpu_within(20):
        found = reasons_of(f"{start * 90}{filler}{end * 90}".encode())
    assert set(found) == {Reason.MALFORMED}


def test_many_small_references_cost_little():
    parts = "".join(f'<p id="p{n}"/>' for n in range(1000))
    references = tuple(Ref(uri=f"#p{n}", transforms=(C14N,), digest=DIGEST) for n in range(1000))
    signature = sign(Sig(references=references), f"<r>{parts}{{}}</r>").split(b"?>", 1)[1]
    markup = signature[signature.index(b"<ds:") : signature.index(b"</ds:Signature>") + 15]
    document = signature.replace(markup, markup * 50)
    with cpu_within(20):
        assert Reason.DIGEST_MISMATCH in reasons_of(document)


def test_comments_instructions_objects_and_certificates_without_end_cost_little():
    document = sign()
    assert document.count(b"</ds:Signature>") == 1
    certificate = "<ds:X509Data><ds:X509Certificate>MAA=</ds:X509Certificate></ds:X509Data>"
    for added, passes in (
        ("<!-- -->" * 500_000, True),
        ("<?p?>" * 500_000, True),
        ("<ds:Object/>" * 100, True),
        ("<ds:Object/>" * 500_000, False),
        (f"<ds:Object>{'<x/>' * 500_000}</ds:Object>", True),
    ):
        forged = document.replace(b"</ds:Signature>", added.encode() + b"</ds:Signature>")
        with cpu_within(10):
            assert (reasons_of(forged) == []) is passes
    crowd = document.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo>" + certificate.encode() * 50_000)
    with cpu_within(10):
        assert reasons_of(crowd) == []


def test_enveloped_signatures_among_many_siblings_cost_no_more_than_their_octets():
    reference = Ref(uri="#all", transforms=(ENVELOPED, C14N), digest=DIGEST)
    text = TEXT.replace("{}", "<x/>" * 300_000 + "{}" + "<x/>" * 300_000)
    document = sign(Sig(references=(reference,) * 500), text)
    with cpu_within(20):
        assert Reason.MALFORMED in reasons_of(document)
