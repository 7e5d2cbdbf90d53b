"""xmlsec1 (Aleksey Sanin, OpenSSL) judges what we sign, and we judge what it signs."""

import base64
import io
import itertools
import random
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.pki import AT, PKI_DIR, load, load_key
from support.xml_signatures import C14N, C14N11, DS, ENVELOPED, EXCLUSIVE, SHA1, Ref, Sig

from jpki.signing import HashAlgorithm
from jpki.signing.xml import sign_xml, sign_xml_files
from jpki.signing.xml_options import Canonicalization, XmlForm, XmlOptions
from jpki.verification import Coverage, Note, Reason, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
XADES = "http://uri.etsi.org/01903/v1.3.2#"
IDS = (
    *("--id-attr:Id", f"{DS}:Object", "--id-attr:Id", f"{DS}:KeyInfo"),
    *("--id-attr:Id", f"{XADES}:SignedProperties", "--id-attr:id", "part"),
    *("--id-attr:id", "urn:x:part", "--id-attr:id", "urn:x:申請", "--id-attr:id", "申請"),
    *("--id-attr:id", "urn:a:part", "--id-attr:id", "urn:b:part", "--id-attr:id", "urn:c:part"),
    *("--id-attr:ID", "構成情報", "--id-attr:id", "http://xml.e-tax.nta.go.jp/XSD/kyotsu:TEG810"),
)

DOCUMENTS = {
    "plain": "<申請><part id='p'>1</part></申請>",
    "default namespace": "<申請 xmlns='urn:x' id='all'><part id='p'><子 属性='1'/></part></申請>",
    "prefixes": (
        "<申請 xmlns:a='urn:a' xmlns='urn:x'><a:b a:c='1' b='2'/><part id='p' a:d=''/></申請>"
    ),
    "undeclared default": (
        "<申請 xmlns='urn:x'><part id='p'><q xmlns='' r='1'><s/></q></part></申請>"
    ),
    "inherited xml:*": (
        "<申請 xml:lang='ja' xml:space='preserve'><m xml:lang='en'><part id='p'> x </part></m>"
        "</申請>"
    ),
    "comments and instructions": (
        "<?a b?><!-- 1 --><申請><?c d?><!-- 2 --><part id='p'><!-- 3 -->1<?e?></part></申請>"
        "<!-- 4 --><?f?>"
    ),
    "white space": (
        "<申請>\r\n\t<part\n id='p'\ta=' x&#9;y&#13;&#10;'>&#13;\r\n</part >\n</申請\n>\n"
    ),
    "characters": (
        "<申請><part id='p'>&lt;&amp;&gt;\"' 髙﨑𠮷 <![CDATA[<x>&]]>\u00a0</part></申請>"
    ),
    "prefix of signatures": (f"<申請 xmlns:ds='urn:other' xmlns:s='{DS}'><part id='p'/></申請>"),
}


def run_xmlsec1(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["xmlsec1", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        check=False,
    )


def judge(document: bytes, folder: Path) -> bool:
    path = folder / "signed.xml"
    path.write_bytes(document)
    ca = PKI_DIR / "signature-ca.pem"
    time = AT.strftime("%Y-%m-%d+%H:%M:%S")
    trust = ("--trusted-pem", ca, "--verification-gmt-time", time)
    done = run_xmlsec1("--verify", *trust, *IDS, path, cwd=folder)
    assert (done.returncode == 0) is (done.stderr.startswith("OK") or done.stdout.startswith("OK"))
    return done.returncode == 0


def sign_with_xmlsec1(template: str, folder: Path) -> bytes:
    source, target = folder / "template.xml", folder / "made.xml"
    source.write_text(template)
    key = f"{PKI_DIR / 'signature.key'},{PKI_DIR / 'signature.pem'}"
    done = run_xmlsec1("--sign", "--privkey-pem", key, *IDS, "--output", target, source, cwd=folder)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


def sign(document: str, options: XmlOptions) -> bytes:
    key, certificate = load_key("signature"), load("signature")
    return sign_xml(document.encode(), key, certificate, signing_time=AT, options=options)


# --- what we sign -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", Canonicalization)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_canonicalization_of_every_kind_of_document_verifies(tmp_path, name, method):
    for form, reference in itertools.product((XmlForm.XADES, XmlForm.XMLDSIG), ("", "#p")):
        options = XmlOptions(form=form, reference=reference, canonicalization=method)
        signed = sign(DOCUMENTS[name], options)
        assert judge(signed, tmp_path), options
        (report,) = verify_xml(signed, CA, AT).signatures
        assert report.reasons == ()
        assert report.covers is (Coverage.PART if reference else Coverage.WHOLE)


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("prefix", ["", "dsig", "s"])
@pytest.mark.parametrize("parent", [None, "//*[local-name()='part']"])
def test_every_prefix_and_place_verifies(tmp_path, name, prefix, parent):
    for form, reference in itertools.product((XmlForm.XADES, XmlForm.XMLDSIG), ("", "#p")):
        options = XmlOptions(form=form, reference=reference, prefix=prefix, parent=parent)
        signed = sign(DOCUMENTS[name], options)
        assert judge(signed, tmp_path), options
        assert verify_xml(signed, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize("digest", HashAlgorithm)
def test_every_digest_verifies(tmp_path, digest):
    assert judge(sign(DOCUMENTS["plain"], XmlOptions(digest=digest)), tmp_path)


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
def test_tampered_documents_fail_in_both(tmp_path, form):
    signed = sign(DOCUMENTS["default namespace"], XmlOptions(form=form, reference="#p"))
    assert judge(signed, tmp_path)
    for old, new in (("属性", "属姓"), ("#rsa-sha256", "#rsa-sha512"), ("<子", "x<子")):
        tampered = signed.replace(old.encode(), new.encode())
        assert tampered != signed
        assert not judge(tampered, tmp_path)
        assert verify_xml(tampered, CA, AT).verdict is Verdict.FAILED


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
def test_signatures_of_files_verify(tmp_path, form):
    files = {"m.txt": b"one", "s 1.pdf": bytes(range(256)), "申請.xml": b"<x/>"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    streams = {name: io.BytesIO(content) for name, content in files.items()}
    signed = sign_xml_files(
        streams,
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        options=XmlOptions(form=form),
    )
    assert judge(signed, tmp_path)
    (tmp_path / "m.txt").write_bytes(b"two")
    assert not judge(signed, tmp_path)


def test_the_form_of_egov_verifies(tmp_path):
    """With an ASCII id: xmlsec1 resolves none that is percent-encoded."""
    (tmp_path / "9001_01.xml").write_bytes(b"<x/>")
    text = "<DataRoot><構成情報 ID='k'><a>1</a></構成情報><STYLESHEET/></DataRoot>"
    signed = sign_xml(
        text.encode(),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        options=XmlOptions(form=XmlForm.EGOV),
        files={"9001_01.xml": io.BytesIO(b"<x/>")},
    )
    assert judge(signed, tmp_path)
    (tmp_path / "9001_01.xml").write_bytes(b"<y/>")
    assert not judge(signed, tmp_path)


EGOV = """<?xml version="1.0" encoding="UTF-8"?>
<DataRoot><構成情報 ID="構成情報"><申請書>見本</申請書></構成情報></DataRoot>
"""
PERCENT = "#%E6%A7%8B%E6%88%90%E6%83%85%E5%A0%B1"


def sign_egov() -> bytes:
    return sign_xml(
        EGOV.encode(),
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        options=XmlOptions(form=XmlForm.EGOV),
        files={"9001_01.xml": io.BytesIO(b"<x/>")},
    )


def test_the_form_of_egov_with_japanese_ids_is_right_though_xmlsec1_finds_no_escaped_ones(
    tmp_path, monkeypatch
):
    """xmlsec1 looks for the id as it is escaped; so it judges the same form with the id as it is.

    The two differ in that one reference. xmlsec1 tells what it hashed for the signature value, and
    OpenSSL finds the value of the escaped form right over that, with the reference escaped.
    """
    (tmp_path / "9001_01.xml").write_bytes(b"<x/>")
    escaped = sign_egov()
    assert f'URI="{PERCENT}"'.encode() in escaped
    assert (
        verify_xml(escaped, CA, AT, detached_files={"9001_01.xml": io.BytesIO(b"<x/>")}).verdict
        is Verdict.PASSED
    )
    (tmp_path / "signed.xml").write_bytes(escaped)
    ca = ("--trusted-pem", PKI_DIR / "signature-ca.pem")
    time = ("--verification-gmt-time", AT.strftime("%Y-%m-%d+%H:%M:%S"))
    refused = run_xmlsec1("--verify", *ca, *time, *IDS, "signed.xml", cwd=tmp_path)
    assert f"xpointer(id('{PERCENT[1:]}'))" in refused.stderr

    monkeypatch.setattr("jpki.signing.xml_egov.quote", lambda name, safe: name)
    plain = sign_egov()
    assert judge(plain, tmp_path)
    debug = ("--store-signatures", "--print-debug")
    told = run_xmlsec1("--verify", *ca, *time, *debug, *IDS, "signed.xml", cwd=tmp_path)
    (hashed,) = re.findall(
        r"== PreSigned data - start buffer:\n(.*)\n== PreSigned data - end buffer",
        told.stdout + told.stderr,
        re.DOTALL,
    )
    assert 'URI="#構成情報"' in hashed
    (tmp_path / "hashed").write_text(hashed.replace("#構成情報", PERCENT), encoding="utf-8")
    (value,) = re.findall(rb"<SignatureValue>([^<]*)</SignatureValue>", escaped)
    (tmp_path / "value").write_bytes(base64.b64decode(value))
    (tmp_path / "key.pem").write_bytes(
        load("signature").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "value", "hashed"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


class RandomDocument:
    """Elements in and out of namespaces, declared anew and undeclared, and what else C14N knows."""

    NAMESPACES = ("", "urn:a", "urn:b", "urn:c")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311

    def text(self) -> str:
        return f"<?p q?><申請{self.attributes({})}>{self.content({}, 4)}</申請><!-- end -->"

    def content(self, scope: dict[str, str], depth: int) -> str:
        parts = [self.piece(scope, depth) for _ in range(self.random.randrange(1, 5))]
        return "".join(parts)

    def piece(self, scope: dict[str, str], depth: int) -> str:
        kinds = ["text", "comment", "instruction", "cdata"] + ["element"] * (4 if depth else 0)
        match self.random.choice(kinds):
            case "text":
                return self.random.choice(
                    ["x", " ", "\n", "&amp;", "&#13;", "&#x85;", "日本", "\t"]
                )
            case "comment":
                return "<!-- c -->"
            case "instruction":
                return self.random.choice(["<?i?>", "<?i  data ?>"])
            case "cdata":
                return "<![CDATA[ <&]]>"
        inner = dict(scope)
        attributes = self.attributes(inner)
        prefix = self.random.choice(["", *(f"{each}:" for each in inner if each)])
        name = f"{prefix}{self.random.choice(['e', 'f', '要素'])}"
        return f"<{name}{attributes}>{self.content(inner, depth - 1)}</{name}>"

    def attributes(self, scope: dict[str, str]) -> str:
        found = []
        for prefix in ("", "m", "n"):
            if self.random.random() < 0.3:
                scope[prefix] = self.random.choice(self.NAMESPACES[bool(prefix) :])
                found.append(f"xmlns{':' * bool(prefix)}{prefix}='{scope[prefix]}'")
        seen = set()
        for name in ("b", "a", "xml:lang", "xml:space", *(f"{each}:z" for each in scope if each)):
            expanded = (scope.get(name.split(":")[0]), name.split(":")[-1])
            if self.random.random() < 0.3 and expanded not in seen:
                seen.add(expanded)
                found.append(f"{name}='{'preserve' if name == 'xml:space' else 'v&quot;&#10; '}'")
        self.random.shuffle(found)
        return "".join(f" {each}" for each in found)

    def with_part(self) -> str:
        """With an element of its own id somewhere inside."""
        text = self.text()
        places = [match.start() for match in re.finditer("<(?:e|f|要素)[ >]", text)]
        if not places:
            return text.replace("</申請>", "<part id='p'/></申請>")
        place = self.random.choice(places)
        return f"{text[:place]}<part id='p'>1</part>{text[place:]}"


@pytest.mark.parametrize("seed", range(120))
def test_random_documents_verify(tmp_path, seed):
    choose = random.Random(seed)  # noqa: S311
    options = XmlOptions(
        form=choose.choice((XmlForm.XADES, XmlForm.XMLDSIG)),
        reference=choose.choice(("", "#p")),
        canonicalization=choose.choice(list(Canonicalization)),
        prefix=choose.choice(("ds", "", "m")),
        parent=choose.choice((None, "//*[@id='p']", "//*[@id='p']/..")),
    )
    text = RandomDocument(seed).with_part()
    signed = sign(text, options)
    assert judge(signed, tmp_path), (options, text)
    (report,) = verify_xml(signed, CA, AT).signatures
    assert report.reasons == ()


# --- what xmlsec1 signs -------------------------------------------------------------------------


def template(text: str, *references: Ref, **more: object) -> str:
    signature = Sig(references=references, key_info="<ds:X509Data/>", **more)  # type: ignore[arg-type]
    return text.replace("{}", signature.markup())


ENDS = {"plain": "</申請>", "comments and instructions": "</申請>", "white space": "</申請\n>"}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "method", [C14N, C14N + "#WithComments", C14N11, EXCLUSIVE, EXCLUSIVE + "WithComments"]
)
def test_documents_that_xmlsec1_signed_pass(tmp_path, name, method):
    end = ENDS.get(name, "</申請>")
    text = DOCUMENTS[name].replace(end, "{}" + end)
    canonicalization = f'<ds:CanonicalizationMethod Algorithm="{method}"/>'
    for reference in (
        Ref(transforms=(ENVELOPED, method)),
        Ref(uri="#p", transforms=(method,)),
        Ref(transforms=(ENVELOPED,)),
        Ref(uri="#p", transforms=()),
    ):
        made = sign_with_xmlsec1(
            template(text, reference, canonicalization=canonicalization), tmp_path
        )
        (report,) = verify_xml(made, CA, AT).signatures
        assert report.reasons == (), reference
        assert report.covers is (Coverage.PART if reference.uri else Coverage.WHOLE)
        tampered = made.replace(b"id=", b"b='x' id=")
        assert tampered != made
        (report,) = verify_xml(tampered, CA, AT).signatures
        assert report.verdict is Verdict.FAILED


@pytest.mark.parametrize("seed", range(120))
def test_random_documents_that_xmlsec1_signed_somewhere_inside_pass(tmp_path, seed):
    choose = random.Random(seed)  # noqa: S311
    text = RandomDocument(seed).with_part()
    places = [match.start() for match in re.finditer("</|<(?:e|f|要素|part)[ >]", text)]
    place = choose.choice(places)
    method = choose.choice(list(Canonicalization)).uri
    reference = choose.choice(
        (
            Ref(transforms=(ENVELOPED, method)),
            Ref(transforms=(ENVELOPED,)),
            Ref(uri="#p", transforms=(ENVELOPED, method)),
        )
    )
    canonicalization = f'<ds:CanonicalizationMethod Algorithm="{method}"/>'
    signature = template("{}", reference, canonicalization=canonicalization)
    made = sign_with_xmlsec1(f"{text[:place]}{signature}{text[place:]}", tmp_path)
    (report,) = verify_xml(made, CA, AT).signatures
    assert report.reasons == ()
    if not reference.uri:
        for old, new in (
            ("</ds:Signature>", "</ds:Signature>x"),
            ("<ds:Signature ", "y<ds:Signature "),
        ):
            tampered = made.replace(old.encode(), new.encode())
            (report,) = verify_xml(tampered, CA, AT).signatures
            assert report.reasons == (Reason.DIGEST_MISMATCH,)


def test_a_signature_in_the_default_namespace_passes(tmp_path):
    text = template("<r xmlns='urn:x'><part id='p'/>{}</r>", Ref(uri="#p", transforms=(C14N,)))
    text = text.replace("<ds:", "<").replace("</ds:", "</").replace("xmlns:ds=", "xmlns=")
    made = sign_with_xmlsec1(text, tmp_path)
    assert verify_xml(made, CA, AT).verdict is Verdict.PASSED


def test_several_references_and_signatures_pass(tmp_path):
    references = (Ref(uri="#p", transforms=(C14N,)), Ref(uri="#o", transforms=()))
    text = template(
        "<r><part id='p'/>{}</r>", *references, objects='<ds:Object Id="o">1</ds:Object>'
    )
    made = sign_with_xmlsec1(text, tmp_path)
    (report,) = verify_xml(made, CA, AT).signatures
    assert (report.reasons, report.covered) == ((), "#p part, #o Object")


def test_an_enveloping_signature_passes(tmp_path):
    made = sign_with_xmlsec1(
        template("{}", Ref(uri="#o", transforms=()), objects='<ds:Object Id="o"><a/></ds:Object>'),
        tmp_path,
    )
    (report,) = verify_xml(made, CA, AT).signatures
    assert (report.reasons, report.covered) == ((), "#o Object")


def test_a_signature_of_a_file_passes(tmp_path):
    (tmp_path / "m.txt").write_bytes(b"one")
    made = sign_with_xmlsec1(template("{}", Ref(uri="m.txt", transforms=())), tmp_path)
    for content, verdict in ((b"one", Verdict.PASSED), (b"two", Verdict.FAILED)):
        report = verify_xml(made, CA, AT, detached_files={"m.txt": io.BytesIO(content)})
        assert report.verdict is verdict


KOUJO = f"""<?xml version="1.0" encoding="UTF-8"?>
<TEG810 xmlns="http://xml.e-tax.nta.go.jp/XSD/kyotsu" id="TEG810-0" VR="1.0">
<WOA00000>見本生命</WOA00000>
<dsig:Signature xmlns:dsig="{DS}"><dsig:SignedInfo><dsig:CanonicalizationMethod
Algorithm="{C14N}"/><dsig:SignatureMethod Algorithm="METHOD"/><dsig:Reference URI="#TEG810-0">
<dsig:Transforms><dsig:Transform Algorithm="{ENVELOPED}"/></dsig:Transforms>
<dsig:DigestMethod Algorithm="DIGEST"/><dsig:DigestValue/></dsig:Reference></dsig:SignedInfo>
<dsig:SignatureValue/><dsig:KeyInfo><dsig:X509Data/></dsig:KeyInfo></dsig:Signature></TEG810>
"""


def test_a_certificate_of_deduction_passes(tmp_path):
    """控除証明書: prefix dsig, reference to the id of the root, in lower case."""
    method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    text = KOUJO.replace("METHOD", method).replace(
        "DIGEST", "http://www.w3.org/2001/04/xmlenc#sha256"
    )
    made = sign_with_xmlsec1(text, tmp_path)
    (report,) = verify_xml(made, CA, AT).signatures
    assert (report.reasons, report.covers) == ((), Coverage.WHOLE)
    assert not judge(made.replace("見本".encode(), "身本".encode()), tmp_path)
    (report,) = verify_xml(made.replace("見本".encode(), "身本".encode()), CA, AT).signatures
    assert report.reasons == (Reason.DIGEST_MISMATCH,)


def test_a_certificate_of_deduction_by_sha1_is_read_and_passes_if_allowed(tmp_path):
    text = KOUJO.replace("METHOD", DS + "rsa-sha1").replace("DIGEST", SHA1)
    made = sign_with_xmlsec1(text, tmp_path)
    (report,) = verify_xml(made, CA, AT).signatures
    assert (report.reasons, report.covers) == ((Reason.WEAK_ALGORITHM,), Coverage.WHOLE)
    (report,) = verify_xml(made, CA, AT, allow_sha1=True).signatures
    assert (report.reasons, report.notes) == ((), (Note.SHA1_ALLOWED,))
