"""OpenSSL makes CRLs and answers OCSP for us, and gives a second opinion on every case.

Each case names our verdict and OpenSSL's, both are computed. Where one takes for known what the
other does not, the case says why; a case that says why without a difference fails too.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from support.pki import AT, PKI_DIR, SIGNATURE_LEAF, load, load_key
from support.revocation import (
    DAY,
    HOLD,
    Crl,
    OcspAnswer,
    der,
    other_municipality,
    responder_certificate,
    scope,
)

from jpki.certificates import Revocation
from jpki.certificates.responder import ocsp_responder
from jpki.certificates.revocation import (
    EvidenceFault,
    RevocationFinding,
    RevocationMaterial,
    check_revocation,
    load_crls,
    load_ocsp_responses,
)

LEAF, CA = load("signature"), load("signature-ca")
SERIAL = LEAF.serial_number
LEAF_PATH, CA_PATH = PKI_DIR / "signature.pem", PKI_DIR / "signature-ca.pem"
CLOCK = f"{AT:%Y-%m-%d %H:%M:%S}"
UNREAD = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
REVOKED = ocsp.OCSPCertStatus.REVOKED

REVOKED_BY_OPENSSL = "23"
"""X509_V_ERR_CERT_REVOKED; "" is its OK, and any other number says that a list does not count."""

Verdict = tuple[Revocation, tuple[EvidenceFault, ...]]
GOOD: Verdict = (Revocation.GOOD, ())
IS_REVOKED: Verdict = (Revocation.REVOKED, ())
SUSPENDED: Verdict = (Revocation.SUSPENDED, ())
UNKNOWN: Verdict = (Revocation.UNKNOWN, ())


def refused(fault: EvidenceFault) -> Verdict:
    return Revocation.NOT_CHECKED, (fault,)


def verdict_of(finding: RevocationFinding) -> Verdict:
    return finding.status, tuple(item.fault for item in finding.rejected)


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it at AT: what has no option for the time takes it from the clock."""
    command = ["env", "TZ=UTC", "faketime", "-f", CLOCK, "openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def made(*arguments: str | Path) -> None:
    result = openssl(*arguments)
    assert result.returncode == 0, result.stderr


# --- lists --------------------------------------------------------------------------------------


def openssl_on_list(folder: Path, data: bytes) -> str:
    """`openssl verify -crl_check` -> the number of its error, "" for OK."""
    path = folder / "judged.pem"
    (crl,) = load_crls(data)
    path.write_bytes(crl.public_bytes(Encoding.PEM))
    options = ("-crl_check", "-CRLfile", path, "-CAfile", CA_PATH)
    result = openssl("verify", *options, "-attime", str(int(AT.timestamp())), LEAF_PATH)
    found = re.search(r"error (\d+) at 0 depth", result.stderr)
    assert (result.returncode == 0) is (found is None), result.stderr
    return found[1] if found else ""


def kind_of(ours: Revocation) -> str:
    match ours:
        case Revocation.GOOD:
            return "good"
        case Revocation.REVOKED | Revocation.SUSPENDED:  # OpenSSL knows no difference
            return "revoked"
        case _:
            return "not known"


def kind_of_list(error: str) -> str:
    return {"": "good", REVOKED_BY_OPENSSL: "revoked"}.get(error, "not known")


def gencrl(
    folder: Path,
    *,
    entries: Sequence[tuple[int, str]] = (),
    point: str = "Mihon-shi CRLDP",
    options: str = "",
    digest: str = "sha256",
    ca: str = "signature-ca",
    last_update: datetime = AT - DAY,
    next_update: datetime = AT + DAY,
) -> bytes:
    """A list by `openssl ca -gencrl`, of one municipality as JPKI's are."""
    (folder / "number").write_text("07\n")
    since = f"{AT - 10 * DAY:%y%m%d%H%M%SZ}"
    lines = [
        f"R\t300331145959Z\t{since}{reason}\t{number:08X}\tunknown\t/CN=x\n"
        for number, reason in entries
    ]
    (folder / "index.txt").write_text("".join(lines))
    config = folder / "ca.cnf"
    config.write_text(
        f"""
        string_mask = utf8only
        [ca]
        default_ca = list
        [list]
        database = {folder}/index.txt
        crlnumber = {folder}/number
        default_md = {digest}
        crl_extensions = extensions
        [extensions]
        issuingDistributionPoint = critical, @scope
        [scope]
        {"fullname = dirName:point" if point else ""}
        {options}
        [point]
        C = JP
        O = JPKI-TEST
        1.OU = JPKI for digital signature
        2.OU = CRL Distribution Points
        3.OU = Mihon-ken
        CN = {point or "-"}
        """.replace("        ", "")
    )
    path = folder / "made.pem"
    made(
        *("ca", "-gencrl", "-config", config, "-out", path),
        *("-cert", PKI_DIR / f"{ca}.pem", "-keyfile", PKI_DIR / f"{ca}.key"),
        *("-crl_lastupdate", f"{last_update:%y%m%d%H%M%SZ}"),
        *("-crl_nextupdate", f"{next_update:%y%m%d%H%M%SZ}"),
    )
    return path.read_bytes()


def by(**options: object) -> Callable[[Path], bytes]:
    return lambda folder: gencrl(folder, **options)  # type: ignore[arg-type]


def ours(crl: Crl) -> Callable[[Path], bytes]:
    """A list that OpenSSL's configuration cannot express."""
    return lambda _folder: der(crl.build())


LISTED = Crl(entries=[(SERIAL, None)])
OTHER_ENTRY = [(SERIAL + 1, ",keyCompromise")]
OUR_ENTRY = [(SERIAL, ",keyCompromise")]


@dataclass(frozen=True, kw_only=True)
class ListCase:
    """A list, and what both say of the usual signer."""

    name: str
    make: Callable[[Path], bytes]
    ours: Verdict
    openssl: str = ""
    why: str = ""


LISTS = [
    ListCase(name="empty", make=by(), ours=GOOD),
    ListCase(name="somebody else", make=by(entries=OTHER_ENTRY), ours=GOOD),
    ListCase(name="revoked", make=by(entries=OUR_ENTRY), ours=IS_REVOKED, openssl="23"),
    ListCase(name="no reason", make=by(entries=[(SERIAL, "")]), ours=IS_REVOKED, openssl="23"),
    ListCase(
        name="moved house",
        make=by(entries=[(SERIAL, ",affiliationChanged")]),
        ours=IS_REVOKED,
        openssl="23",
    ),
    ListCase(
        name="hold",
        make=by(entries=[(SERIAL, ",certificateHold")]),
        ours=SUSPENDED,
        openssl="23",
    ),
    ListCase(
        name="SHA-384", make=by(entries=OUR_ENTRY, digest="sha384"), ours=IS_REVOKED, openssl="23",
    ),
    ListCase(
        name="SHA-512", make=by(entries=OUR_ENTRY, digest="sha512"), ours=IS_REVOKED, openssl="23",
    ),
    ListCase(name="people only", make=by(options="onlyuser = TRUE"), ours=GOOD),
    ListCase(
        name="whole CA", make=by(point="", options="onlyuser = TRUE", entries=OUR_ENTRY),
        ours=IS_REVOKED, openssl="23",
    ),
    ListCase(
        name="other municipality", make=by(point="Betsu-shi CRLDP"),
        ours=refused(EvidenceFault.OTHER_SCOPE), openssl="44",
    ),
    ListCase(
        name="other municipality, revoked", make=by(point="Betsu-shi CRLDP", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.OTHER_SCOPE), openssl="44",
    ),
    ListCase(
        name="CA certificates", make=by(options="onlyCA = TRUE", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.OTHER_SCOPE), openssl="44",
    ),
    ListCase(
        name="attribute certificates", make=by(options="onlyAA = TRUE", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.OTHER_SCOPE), openssl="44",
    ),
    ListCase(
        name="indirect", make=by(options="indirectCRL = TRUE", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.INDIRECT), openssl="3",
    ),
    ListCase(
        name="some reasons", make=by(options="onlysomereasons = keyCompromise", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.PARTIAL), openssl="3",
    ),
    ListCase(
        name="other generation", make=by(ca="foreign-ca", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.SIGNATURE_INVALID), openssl="8",
    ),
    ListCase(
        name="other CA", make=by(ca="authentication-ca", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.OTHER_ISSUER), openssl="3",
    ),
    ListCase(
        name="stale", make=by(last_update=AT - 3 * DAY, next_update=AT - DAY),
        ours=refused(EvidenceFault.STALE), openssl="12",
    ),
    ListCase(
        name="not yet", make=by(last_update=AT + DAY, next_update=AT + 2 * DAY),
        ours=refused(EvidenceFault.NOT_YET_VALID), openssl="11",
    ),
    ListCase(
        name="delta", make=ours(replace(LISTED, extensions=[(x509.DeltaCRLIndicator(3), True)])),
        ours=refused(EvidenceFault.PARTIAL), openssl="23",
        why="without -extended_crl OpenSSL takes a delta for a complete list",
    ),
    ListCase(
        name="delta, nobody on it",
        make=ours(Crl(extensions=[(x509.DeltaCRLIndicator(3), True)])),
        ours=refused(EvidenceFault.PARTIAL), openssl="",
        why="without -extended_crl OpenSSL takes a delta for a complete list",
    ),
    ListCase(
        name="unknown critical extension", make=ours(replace(LISTED, extensions=[(UNREAD, True)])),
        ours=refused(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION), openssl="36",
    ),
    ListCase(
        name="unknown extension", make=ours(replace(LISTED, extensions=[(UNREAD, False)])),
        ours=IS_REVOKED, openssl="23",
    ),
    ListCase(
        name="unknown critical entry extension",
        make=ours(replace(Crl(entries=[(9, None)]), entry_extensions=[(UNREAD, True)])),
        ours=refused(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION), openssl="36",
    ),
    ListCase(
        name="unknown entry extension",
        make=ours(replace(LISTED, entry_extensions=[(UNREAD, False)])),
        ours=IS_REVOKED, openssl="23",
    ),
    ListCase(
        name="removed", make=by(entries=[(SERIAL, ",removeFromCRL")]),
        ours=refused(EvidenceFault.MALFORMED), openssl="",
        why="to OpenSSL it is not revoked; RFC 5280 5.3.1 knows the reason in deltas only",
    ),
    ListCase(
        name="SHA-1", make=by(digest="sha1", entries=OUR_ENTRY),
        ours=refused(EvidenceFault.WEAK_ALGORITHM), openssl="23",
        why="the security level of OpenSSL is not applied to signatures of lists",
    ),
    ListCase(
        name="two names, one ours",
        make=ours(replace(LISTED, scope=scope([*other_municipality(), *scope().full_name]))),
        ours=IS_REVOKED, openssl="23",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", LISTS, ids=lambda case: case.name)
def test_openssl_has_the_same_opinion_of_a_list_or_the_case_says_why(tmp_path, case):
    data = case.make(tmp_path)
    finding = check_revocation(LEAF, CA, AT, RevocationMaterial(crls=load_crls(data)))
    error = openssl_on_list(tmp_path, data)
    assert (verdict_of(finding), error) == (case.ours, case.openssl)
    differs = kind_of(finding.status) != kind_of_list(error)
    assert differs is bool(case.why)


# --- OCSP ---------------------------------------------------------------------------------------


def openssl_on_answer(folder: Path, answer: bytes, cert_id_hash: str = "sha1") -> str:
    """`openssl ocsp -respin` -> good, revoked, unknown, or "" where the answer does not count."""
    path = folder / "judged.der"
    path.write_bytes(answer)
    result = openssl(
        *("ocsp", "-respin", path, "-no_nonce", "-CAfile", CA_PATH),
        *(f"-{cert_id_hash}", "-issuer", CA_PATH, "-cert", LEAF_PATH),
    )
    said = result.stdout + result.stderr
    status = re.search(rf"{re.escape(str(LEAF_PATH))}: (good|revoked|unknown)", said)
    counts = "Response verify OK" in said and "Status times invalid" not in said
    return status[1] if status and counts else ""


def kind_of_answer(said: str) -> str:
    return said or "not known"


def kind_of_ocsp(status: Revocation) -> str:
    return "unknown" if status is Revocation.UNKNOWN else kind_of(status)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A responder's certificate and key, as files."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def write(self, folder: Path) -> tuple[Path, Path]:
        certificate, key = folder / "responder.pem", folder / "responder.key"
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(pem)
        return certificate, key


@contextmanager
def openssl_responder(
    folder: Path,
    *,
    status: str,
    signer: Signer,
    ca: str = "signature-ca",
    digest: str = "sha256",
) -> Iterator[str]:
    """`openssl ocsp -port`, which answers one question -> its URL."""
    since = f"{AT - 10 * DAY:%y%m%d%H%M%SZ}"
    lines = {
        "good": f"V\t300331145959Z\t\t{SERIAL:08X}\tunknown\t/CN=x\n",
        "revoked": f"R\t300331145959Z\t{since},keyCompromise\t{SERIAL:08X}\tunknown\t/CN=x\n",
        "hold": f"R\t300331145959Z\t{since},certificateHold\t{SERIAL:08X}\tunknown\t/CN=x\n",
        "unknown": f"V\t300331145959Z\t\t{SERIAL + 1:08X}\tunknown\t/CN=x\n",
    }
    index = folder / "index.txt"
    index.write_text(lines[status])
    certificate, key = signer.write(folder)
    command = (
        *("env", "TZ=UTC", "faketime", "-f", CLOCK, "openssl", "ocsp", "-port", "0"),
        *("-nrequest", "1", "-index", index, "-CA", PKI_DIR / f"{ca}.pem", "-nmin", "15"),
        *("-rsigner", certificate, "-rkey", key, "-rmd", digest),
    )
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = re.search(r"ACCEPT \S*:(\d+)", server.stdout.readline())
            assert port, "the responder did not start"
            yield f"http://127.0.0.1:{port[1]}/"
            server.wait(20)
        finally:
            server.kill()


CA_SIGNER = Signer(certificate=CA, key=load_key("signature-ca"))
KEY = load_key("foreign-ca")
LEAF_SIGNER = Signer(certificate=LEAF, key=load_key("signature"))


def charged(**changes: object) -> Signer:
    return Signer(certificate=responder_certificate(KEY, **changes), key=KEY)  # type: ignore[arg-type]


NOT_AUTHORIZED = refused(EvidenceFault.RESPONDER_NOT_AUTHORIZED)


@dataclass(frozen=True, kw_only=True)
class ServerCase:
    """What a responder says of the usual signer, and what both make of it."""

    name: str
    status: str = "good"
    signer: Signer = CA_SIGNER
    digest: str = "sha256"
    ours: Verdict
    openssl: str
    why: str = ""


SERVERS = [
    ServerCase(name="good", ours=GOOD, openssl="good"),
    ServerCase(name="revoked", status="revoked", ours=IS_REVOKED, openssl="revoked"),
    ServerCase(name="hold", status="hold", ours=SUSPENDED, openssl="revoked"),
    ServerCase(name="unknown", status="unknown", ours=UNKNOWN, openssl="unknown"),
    ServerCase(name="SHA-512", digest="sha512", ours=GOOD, openssl="good"),
    ServerCase(name="delegated", signer=charged(), ours=GOOD, openssl="good"),
    ServerCase(
        name="delegated, revoked", status="revoked", signer=charged(), ours=IS_REVOKED,
        openssl="revoked",
    ),
    ServerCase(
        name="delegated without the purpose", signer=charged(purposes=()), ours=NOT_AUTHORIZED,
        openssl="",
    ),
    ServerCase(
        name="delegated for another purpose",
        signer=charged(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]), ours=NOT_AUTHORIZED, openssl="",
    ),
    ServerCase(
        name="delegated by another CA", signer=charged(issuer="authentication-ca"),
        ours=NOT_AUTHORIZED, openssl="",
    ),
    ServerCase(
        name="delegated by another generation", signer=charged(issuer="foreign-ca"),
        ours=NOT_AUTHORIZED, openssl="",
    ),
    ServerCase(
        name="delegated until yesterday", signer=charged(not_after=AT - DAY), ours=NOT_AUTHORIZED,
        openssl="",
    ),
    ServerCase(name="the leaf itself", signer=LEAF_SIGNER, ours=NOT_AUTHORIZED, openssl=""),
    ServerCase(
        name="another CA", signer=Signer(
            certificate=load("authentication-ca"), key=load_key("authentication-ca")
        ),
        ours=NOT_AUTHORIZED, openssl="",
    ),
    ServerCase(
        name="the CA's name with another key",
        signer=Signer(certificate=load("foreign-ca"), key=KEY),
        ours=refused(EvidenceFault.SIGNATURE_INVALID), openssl="",
    ),
    ServerCase(
        name="SHA-1", digest="sha1", ours=refused(EvidenceFault.WEAK_ALGORITHM), openssl="good",
        why="OpenSSL asks for no strength of the signature of an answer",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", SERVERS, ids=lambda case: case.name)
def test_openssl_has_the_same_opinion_of_a_responder_or_the_case_says_why(tmp_path, case):
    answers: list[bytes] = []
    with openssl_responder(
        tmp_path, status=case.status, signer=case.signer, digest=case.digest
    ) as url:

        def ask(request: bytes) -> bytes:
            answers.append(ocsp_responder(url)(request))
            return answers[-1]

        finding = check_revocation(LEAF, CA, AT, RevocationMaterial(responder=ask))
    (answer,) = answers
    (parsed,) = load_ocsp_responses(answer)
    assert parsed.extensions.get_extension_for_class(x509.OCSPNonce)  # it came to our question
    said = openssl_on_answer(tmp_path, answer)
    assert (verdict_of(finding), said) == (case.ours, case.openssl)
    assert (kind_of_ocsp(finding.status) != kind_of_answer(said)) is bool(case.why)


# --- answers that no responder of OpenSSL gives -------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AnswerCase:
    """An answer, and what both say of the usual signer."""

    name: str
    answer: OcspAnswer
    cert_id_hash: str = "sha1"
    ours: Verdict
    openssl: str
    why: str = ""


def _neighbour() -> x509.Certificate:
    leaf = replace(SIGNATURE_LEAF, serial_number=SERIAL + 1)
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def delegated(**changes: object) -> OcspAnswer:
    signer = charged(**changes)
    certificate = signer.certificate
    return OcspAnswer(responder=certificate, key=signer.key, certificates=[certificate])


ANSWERS = [
    AnswerCase(name="good", answer=OcspAnswer(), ours=GOOD, openssl="good"),
    AnswerCase(name="by name", answer=OcspAnswer(by_name=True), ours=GOOD, openssl="good"),
    AnswerCase(
        name="SHA-256 in the CertID", answer=OcspAnswer(cert_id_hash=hashes.SHA256()), ours=GOOD,
        openssl="good", cert_id_hash="sha256",
    ),
    AnswerCase(
        name="hold", answer=OcspAnswer(status=REVOKED, reason=HOLD), ours=SUSPENDED,
        openssl="revoked",
    ),
    AnswerCase(
        name="another certificate", answer=OcspAnswer(certificate=_neighbour()),
        ours=refused(EvidenceFault.OTHER_CERTIFICATE), openssl="",
    ),
    AnswerCase(
        name="another generation", answer=OcspAnswer(issuer=load("foreign-ca")),
        ours=refused(EvidenceFault.OTHER_ISSUER), openssl="",
    ),
    AnswerCase(
        name="stale", answer=OcspAnswer(this_update=AT - 2 * DAY, next_update=AT - DAY),
        ours=refused(EvidenceFault.STALE), openssl="",
    ),
    AnswerCase(
        name="not yet", answer=OcspAnswer(this_update=AT + DAY, next_update=AT + 2 * DAY),
        ours=refused(EvidenceFault.NOT_YET_VALID), openssl="",
    ),
    AnswerCase(
        name="two days old without an end",
        answer=OcspAnswer(this_update=AT - 2 * DAY, next_update=None),
        ours=refused(EvidenceFault.STALE), openssl="good",
        why="OpenSSL bounds the age with -status_age only",
    ),
    AnswerCase(
        name="unknown critical extension", answer=OcspAnswer(extensions=[(UNREAD, True)]),
        ours=refused(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION), openssl="good",
        why="OpenSSL does not look at extensions of answers",
    ),
    AnswerCase(
        name="delegated to a CA", answer=delegated(ca=True), ours=NOT_AUTHORIZED, openssl="good",
        why="OpenSSL looks at the purpose only; a CA that answers is no responder",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.name)
def test_openssl_has_the_same_opinion_of_an_answer_or_the_case_says_why(tmp_path, case):
    answer = der(case.answer.build())
    material = RevocationMaterial(ocsp_responses=load_ocsp_responses(answer))
    finding = check_revocation(LEAF, CA, AT, material)
    said = openssl_on_answer(tmp_path, answer, case.cert_id_hash)
    assert (verdict_of(finding), said) == (case.ours, case.openssl)
    assert (kind_of_ocsp(finding.status) != kind_of_answer(said)) is bool(case.why)


def test_openssl_reads_our_question(tmp_path):
    questions: list[bytes] = []

    def ask(request: bytes) -> bytes:
        questions.append(request)
        return b""

    check_revocation(LEAF, CA, AT, RevocationMaterial(responder=ask))
    path = tmp_path / "question.der"
    path.write_bytes(questions[0])
    result = openssl("ocsp", "-reqin", path, "-req_text", "-noverify")
    assert f"Serial Number: {SERIAL:08X}" in result.stdout
    assert "Hash Algorithm: sha1" in result.stdout
    assert "OCSP Nonce" in result.stdout
