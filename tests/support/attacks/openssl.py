"""`openssl verify` as the second judge, asked as strictly as it can be."""

import base64
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.attacks.case import ACCEPTS, UNREADABLE, Case, Der

from jpki.certificates import Purpose

ARC = "1.2.392.200149.8.5.1"
POLICIES = {Purpose.DOCUMENT: ("1.20", "1.40", "0.20"), Purpose.LOGIN: ("3.30",)}
PURPOSES = {Purpose.DOCUMENT: "smimesign", Purpose.LOGIN: "sslclient"}


def openssl_verify(case: Case, folder: Path) -> int:
    """What OpenSSL finds: ACCEPTS, UNREADABLE or the number of its first error."""
    run = run_openssl(case, folder, [case.leaf])
    if run.returncode == 0:
        assert run.stdout.endswith(b": OK\n")
        return ACCEPTS
    error = re.search(rb"^error (\d+) at ", run.stderr, re.MULTILINE)
    if error is None:
        assert b"Unable to load certificate" in run.stderr, run.stderr
        return UNREADABLE
    return int(error[1])


def run_openssl(
    case: Case, folder: Path, leaves: Sequence[Der]
) -> subprocess.CompletedProcess[bytes]:
    """Let OpenSSL judge leaves under the anchors of a case, at its time, for its purpose."""
    anchors = written(folder / "anchors.pem", case.anchors)
    others = written(folder / "others.pem", case.others)
    trusted = ("-CAfile", anchors) if case.anchors else ("-no-CAfile",)
    policies = (("-policy", f"{ARC}.{number}") for number in POLICIES[case.purpose])
    return subprocess.run(
        [
            *("openssl", "verify", "-no-CApath", "-no-CAstore", *trusted),
            *(("-untrusted", others) if case.others else ()),
            *("-x509_strict", "-check_ss_sig", "-auth_level", "2", "-explicit_policy"),
            *(("-partial_chain",) if case.partial_chain else ()),
            *("-attime", str(int(case.at.timestamp())), "-purpose", PURPOSES[case.purpose]),
            *(option for policy in policies for option in policy),
            *(written(folder / f"leaf-{number}.pem", [leaf]) for number, leaf in enumerate(leaves)),
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )


def written(path: Path, certificates: Sequence[Der]) -> str:
    """PEM, for which OpenSSL decides by the label alone what it is."""
    with path.open("wb") as file:
        for certificate in certificates:
            body = base64.encodebytes(certificate())
            file.write(b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n")
    return str(path)
