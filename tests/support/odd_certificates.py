"""Certificates that no CA wrote: damaged, deep, long, and of other people's making.

Run as a program it reads thousands of them and prints what that came to; the peak of memory is that
of a process that did nothing else.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier
from support.pki import HOLDER, SIGNATURE_LEAF, load, load_key, other_name

SEED = 20261122
LEVELS = 5_000


def tlv(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    if size < 0x80:
        return bytes([tag, size]) + contents
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def nested(levels: int) -> bytes:
    """A SEQUENCE in a SEQUENCE in a SEQUENCE ..."""
    found = b""
    for _ in range(levels):
        found = tlv(0x30, found)
    return found


DEEP = nested(LEVELS)
HUGE_LENGTH = b"\x30\x84" + (100_000_000).to_bytes(4, "big")


def der(name: str) -> bytes:
    return load(name).public_bytes(Encoding.DER)


def flipped(data: bytes, *bits: int) -> bytes:
    changed = bytearray(data)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flips(count: int) -> Iterator[bytes]:
    """Certificates with one to three bits flipped, every single bit of the first one too."""
    sources = [der("signature"), der("authentication"), der("signature-ca")]
    made = 0
    for bit in range(len(sources[0]) * 8):
        yield flipped(sources[0], bit)
        made += 1
    rng = random.Random(SEED)  # noqa: S311 - the same flips each time
    while made < count:
        data = rng.choice(sources)
        yield flipped(data, *(rng.randrange(len(data) * 8) for _ in range(rng.choice((1, 2, 3)))))
        made += 1


def leaf(names: list[x509.GeneralName] | None = None, **changes: object) -> bytes:
    chosen = x509.SubjectAlternativeName(names) if names else SIGNATURE_LEAF.names
    changed = replace(SIGNATURE_LEAF, names=chosen, **changes)  # type: ignore[arg-type]
    key = load_key("signature").public_key()
    return changed.build(key, load_key("signature-ca")).public_bytes(Encoding.DER)


def usual_names() -> list[x509.GeneralName]:
    return [other_name(*item) for item in HOLDER.items()]


def deep_name() -> bytes:
    """The name is a SEQUENCE in a SEQUENCE in a SEQUENCE ..."""
    odd = x509.OtherName(ObjectIdentifier("1.2.392.200149.8.5.5.1"), DEEP)
    return leaf([odd, *usual_names()[1:]])


def deep_extension() -> bytes:
    return leaf(extra=((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), DEEP), False),))


def many_names(count: int = 10_000) -> bytes:
    unknown = [
        x509.OtherName(ObjectIdentifier(f"1.2.3.{number}"), b"\x0c\x01a") for number in range(count)
    ]
    return leaf([*usual_names(), *unknown])


def with_extensions(*more: tuple[str, bytes]) -> bytes:
    """The usual certificate with further extensions; the CA's signature no longer fits."""
    certificate = asn1.Certificate.load(der("signature"))
    tbs = certificate["tbs_certificate"]
    for oid, value in more:
        extension = {"extn_id": oid, "extn_value": core.ParsableOctetString(value)}
        tbs["extensions"].append(asn1.Extension(extension))
    return bytes(certificate.dump(force=True))


def many_extensions(count: int = 10_000) -> bytes:
    return with_extensions(*((f"1.2.3.{number}", b"\x05\x00") for number in range(count)))


def second_alternative_name() -> bytes:
    names = x509.SubjectAlternativeName([other_name(1, "番号　花子")])
    return with_extensions(("2.5.29.17", names.public_bytes()))


ODD = {
    "5,000 levels": DEEP,
    "5,000 headers": b"\x30\x82\x01\x00" * LEVELS,
    "5,000 indefinite lengths": b"\x30\x80" * LEVELS,
    "100 MB declared": HUGE_LENGTH + bytes(100),
    "100 MB declared inside": der("signature")[:4] + HUGE_LENGTH + der("signature")[10:],
    "four indefinite lengths": b"\x30\x80" * 4 + b"\x00" * 8,
    "9 bytes of length": b"\x30\x89" + bytes(8) + b"\x01\x00",
    "long blocks without an end": b"-----BEGIN CERTIFICATE-----\n" * 40_000,
    "labels without an end": b"-----BEGIN " * 100_000,
    "a body of white space": b"-----BEGIN CERTIFICATE-----" + b" \n" * 500_000,
    "a body of one letter and one space": (
        b"-----BEGIN CERTIFICATE-----" + b"A " * 500_000 + b"-----END CERTIFICATE-----"
    ),
}


def read(data: bytes) -> tuple[x509.Certificate, ...]:
    """Read a file's certificates and what each of them says; empty: refused with the one error.

    Any other error goes through.
    """
    from jpki.certificates import load_certificates, read_profile
    from jpki.certificates.file_kind import file_kind
    from jpki.errors import CertificateMalformedError

    try:
        certificates = load_certificates(data)
    except CertificateMalformedError:
        file_kind(data)
        return ()
    for certificate in certificates:
        read_profile(certificate)
    return certificates


def show(certificates: tuple[x509.Certificate, ...], *, reveal: bool) -> str:
    """All that `jpki cert show` can print of them, but PEM."""
    from cli.certificate_show import CertShowResult, Form
    from cli.output import render_json, render_text

    shown = [
        CertShowResult(certificates=certificates, reveal=reveal, form=form)
        for form in (Form.SUMMARY, Form.TEXT)
    ]
    return "".join([render_json(shown[0].as_json()), *map(render_text, shown)])


def unit_s() -> float:
    """What ten million additions take here and now: the measure of what a certificate may cost."""
    start = time.process_time()
    sum(number + 1 for number in range(10_000_000))
    return time.process_time() - start


def main(count: int) -> None:
    outcomes = {"read": 0, "refused": 0}
    slowest = 0.0
    built = [deep_name(), deep_extension(), many_names(), many_extensions()]
    for number, data in enumerate(chain(ODD.values(), built, flips(count))):
        start = time.process_time()
        certificates = read(data)
        slowest = max(slowest, time.process_time() - start)
        outcomes["read" if certificates else "refused"] += 1
        if certificates and (number < 100 or number % 50 == 0):
            start = time.process_time()
            show(certificates, reveal=bool(number % 100))
            slowest = max(slowest, time.process_time() - start)
    sys.stdout.write(
        json.dumps({**outcomes, "slowest": slowest / unit_s(), "peak_kib": peak_kib()})
    )


def peak_kib() -> int:
    """The most memory that this program had. On Linux getrusage counts its parent's too."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # macOS: bytes


if __name__ == "__main__":
    main(int(sys.argv[1]))
