"""Names inside an ASiC container, ETSI EN 319 162-1 4.4 and Annex A: which there are and may be."""

import re
import unicodedata
from typing import Final

MIMETYPE_NAME: Final = "mimetype"
ASIC_E: Final = b"application/vnd.etsi.asic-e+zip"
ASIC_S: Final = b"application/vnd.etsi.asic-s+zip"
META_INF: Final = "META-INF/"
MANIFEST: Final = re.compile(r"META-INF/[^/]*ASiCManifest[^/]*\.xml")
CADES_SIGNATURE: Final = re.compile(r"META-INF/[^/]*signature[^/]*\.p7s")
OF_THE_CONTAINER: Final = re.compile(
    # What else EN 319 162-1 and -2, and Open Container Format, put there.
    r"META-INF/(?:container|manifest)\.xml"
    r"|META-INF/[^/]*ASiC(?:Archive|EvidenceRecord)Manifest[^/]*\.xml"
    r"|META-INF/[^/]*timestamp[^/]*\.tst"
    r"|META-INF/[^/]*evidencerecord[^/]*\.(?:ers|xml)"
)
XADES_SIGNATURE: Final = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml")

# They turn the direction of a text around: "exe.jpg" may be shown for "gpj.exe".
BIDI_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

MAX_NAME: Final = 255  # bytes of UTF-8 in each part; what file systems hold
MAX_PATH: Final = 4096
DRIVE: Final = re.compile(r"[A-Za-z]:")


def is_safe(name: str) -> bool:
    """Tell whether a name stays where it is unpacked, on every system, and shows what it is."""
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:  # bytes of a file name that were no UTF-8
        return False
    parts = name.split("/")
    return (
        0 < len(encoded) <= MAX_PATH
        and all(part not in ("", ".", "..") for part in parts)
        and all(len(part.encode("utf-8")) <= MAX_NAME for part in parts)
        and all(part == part.rstrip(". ") for part in parts)  # Windows drops them
        and "\\" not in name
        and DRIVE.match(name) is None
        and all(_is_visible(character) for character in name)
    )


def is_reserved(name: str) -> bool:
    """Tell whether a name belongs to the container itself, however its letters are written."""
    key = folded(name)
    return key == folded(MIMETYPE_NAME) or key.startswith(folded(META_INF)) or key == "meta-inf"


def is_of_container(name: str) -> bool:
    """Tell whether a file is one that containers have beside those that they are for."""
    kinds = (MANIFEST, CADES_SIGNATURE, XADES_SIGNATURE, OF_THE_CONTAINER)
    return name == MIMETYPE_NAME or any(kind.fullmatch(name) for kind in kinds)


def folded(name: str) -> str:
    """Return what a file system may make of a name that ignores case or joins accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in ("Cc", "Cs", "Zl", "Zp") and character not in BIDI_CONTROLS
