"""OpenSSL, unzip and zipfile read our containers; manifests are read with nothing of ours."""

import base64
import hashlib
import io
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from support.pki import AT, PKI_DIR, load, load_key
from support.tsa import running_tsa
from support.xml_signatures import Ref, Sig

from jpki.signing.asic import NamedDocument, sign_asice
from jpki.signing.timestamp import Timestamper
from jpki.verification import Coverage, Verdict
from jpki.verification.asic import verify_asice

FILES = {
    "契約書.txt": "見本　太郎\r\n".encode(),
    "b/annex 1.pdf": b"%PDF-1.7\n" * 9000,
    "empty": b"",
}
ASIC = "{http://uri.etsi.org/02918/v1.2.1#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


def run(*command: str | Path, cwd: Path | None = None, ok: bool = True) -> bytes:
    result = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        check=False,
        timeout=60,
        cwd=cwd,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert (result.returncode == 0) is ok, result.stderr.decode()
    return result.stdout


@pytest.fixture
def container(tmp_path) -> Path:
    """Two signatures, the second with a timestamp and over one more file."""
    first, path = io.BytesIO(), tmp_path / "x.asice"
    documents = [
        NamedDocument(name=name, content=io.BytesIO(content)) for name, content in FILES.items()
    ]
    sign_asice(documents, first, load_key("signature"), load("signature"), signing_time=AT)
    later = NamedDocument(name="later.txt", content=io.BytesIO(b"later"))
    with running_tsa(tmp_path / "tsa") as site, path.open("w+b") as output:
        sign_asice(
            [later],
            output,
            load_key("signature"),
            load("signature"),
            signing_time=AT,
            existing=first,
            timestamper=Timestamper(site.url()),
        )
    return path


def test_unzip_and_python_read_the_files(container, tmp_path):
    run("unzip", "-t", container)
    run("unzip", "-q", container, "-d", tmp_path / "out")
    for name, content in {**FILES, "later.txt": b"later"}.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    assert b"Done testing" in run("python3", "-m", "zipfile", "-t", container)
    assert b"extracting" not in run("unzip", "-p", container, "mimetype")


def test_openssl_accepts_each_signature_over_its_manifest(container, tmp_path):
    with zipfile.ZipFile(container) as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out" / "META-INF"
    for number in ("001", "002"):
        arguments = (
            *("cms", "-verify", "-cades", "-binary", "-inform", "DER"),
            *("-in", folder / f"signature{number}.p7s", "-out", tmp_path / "signed"),
            *("-CAfile", PKI_DIR / "signature-ca.pem", "-attime", str(int(AT.timestamp()))),
        )
        listed = folder / f"ASiCManifest{number}.xml"
        run("openssl", *arguments, "-content", listed)
        other = folder / ("ASiCManifest002.xml" if number == "001" else "ASiCManifest001.xml")
        run("openssl", *arguments, "-content", other, ok=False)


def test_the_manifests_hold_the_digests_of_the_files(container):
    with zipfile.ZipFile(container) as archive:
        for number, names in (("001", [*FILES]), ("002", [*FILES, "later.txt"])):
            root = ET.fromstring(archive.read(f"META-INF/ASiCManifest{number}.xml"))  # noqa: S314
            assert root.tag == ASIC + "ASiCManifest"
            reference = root.find(ASIC + "SigReference")
            assert reference.get("URI") == f"META-INF/signature{number}.p7s"
            found = {
                unquote(item.get("URI")): item.findtext(DS + "DigestValue")
                for item in root.findall(ASIC + "DataObjectReference")
            }
            assert list(found) == names
            for name, value in found.items():
                digest = hashlib.sha256(archive.read(name)).digest()
                assert base64.b64decode(value) == digest


def test_a_container_put_together_by_zip_and_openssl_passes(tmp_path):
    listed = ["<?xml version='1.0'?>", f"<ASiCManifest xmlns='{ASIC[1:-1]}'>"]
    listed.append("<SigReference URI='META-INF/the-signature.p7s'/>")
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        (tmp_path / "sum").write_bytes(run("openssl", "dgst", "-sha384", "-binary", path))
        value = run("openssl", "base64", "-in", tmp_path / "sum").decode()
        listed.append(
            f"<DataObjectReference URI='{name}'><d:DigestMethod xmlns:d='{DS[1:-1]}'"
            " Algorithm='http://www.w3.org/2001/04/xmldsig-more#sha384'/>"
            f"<d:DigestValue xmlns:d='{DS[1:-1]}'>{value}</d:DigestValue></DataObjectReference>"
        )
    listed.append("</ASiCManifest>")
    folder = tmp_path / "META-INF"
    folder.mkdir()
    (folder / "theASiCManifest.xml").write_text("\n".join(listed), encoding="utf-8")
    run(
        *("faketime", "-f", f"{AT:%Y-%m-%d %H:%M:%S}", "openssl", "cms", "-sign", "-cades"),
        *("-binary", "-outform", "DER", "-in", folder / "theASiCManifest.xml"),
        *("-out", folder / "the-signature.p7s", "-signer", PKI_DIR / "signature.pem"),
        *("-inkey", PKI_DIR / "signature.key"),
    )
    (tmp_path / "mimetype").write_text("application/vnd.etsi.asic-e+zip")
    run("zip", "-q", "-X", "-0", "x.asice", "mimetype", cwd=tmp_path)
    run("zip", "-q", "-r", "x.asice", *FILES, "META-INF", cwd=tmp_path)
    with (tmp_path / "x.asice").open("rb") as stream:
        report = verify_asice(stream, [load("signature-ca")], AT)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].signing_time == AT


def test_a_container_whose_xades_xmlsec1_signed_passes(tmp_path):
    """As others make containers; xmlsec1 finds the files in the folder that it is started in."""
    files = {"a.txt": b"one", "b.txt": b"two"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    references = tuple(Ref(uri=name, transforms=()) for name in files)
    signature = Sig(references=references, key_info="<ds:X509Data/>").markup()
    wrapper = f'<a:XAdESSignatures xmlns:a="{ASIC[1:-1]}">{signature}</a:XAdESSignatures>'
    (tmp_path / "template.xml").write_text(wrapper)
    key = f"{PKI_DIR / 'signature.key'},{PKI_DIR / 'signature.pem'}"
    run(
        *("xmlsec1", "--sign", "--privkey-pem", key, "--output", "signed.xml", "template.xml"),
        cwd=tmp_path,
    )

    def container(held: dict[str, bytes]) -> io.BytesIO:
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w") as archive:
            archive.writestr("mimetype", "application/vnd.etsi.asic-e+zip")
            for name, content in held.items():
                archive.writestr(name, content)
            archive.write(tmp_path / "signed.xml", "META-INF/signatures001.xml")
        return output

    ca = [load("signature-ca")]
    report = verify_asice(container(files), ca, AT)
    assert (report.verdict, report.signatures[0].covers) == (Verdict.PASSED, Coverage.WHOLE)
    for held in (files | {"a.txt": b"1"}, files | {"c.txt": b"three"}, {"a.txt": b"one"}):
        assert verify_asice(container(held), ca, AT).verdict is Verdict.FAILED
