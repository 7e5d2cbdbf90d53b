"""Run the named measurements, or all; see ``scripts/bench``."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.certificates import measure_path_check, measure_revocation
from benchmarks.documents import measure_large_file, measure_pdf
from benchmarks.exchanges import measure_exchanges, measure_round_trip
from benchmarks.logins import measure_token
from benchmarks.opensc import measure_opensc
from benchmarks.start import measure_first_apdu, measure_start
from benchmarks.verification import measure_verification

MEASUREMENTS = {
    "exchanges": measure_exchanges,
    "opensc": measure_opensc,
    "large-file": measure_large_file,
    "pdf": measure_pdf,
    "start": measure_start,
    "first-apdu": measure_first_apdu,
    "round-trip": measure_round_trip,
    "verification": measure_verification,
    "revocation": measure_revocation,
    "path-check": measure_path_check,
    "token": measure_token,
}


def main() -> None:
    """Print one table; figures compare within it only."""
    os.environ.pop("PYTHONPATH", None)  # of this program, and not of those that it measures
    print("| what | measured | bound |\n|---|---|---|")
    for name in sys.argv[1:] or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder:
            MEASUREMENTS[name](Path(folder))


if __name__ == "__main__":
    main()
