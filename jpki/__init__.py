"""The My Number Card (マイナンバーカード) for programs: open it, sign with it, log in with it.

Names are loaded on first use, so that ``import jpki`` costs nothing and works where PC/SC is
missing; what each one does is said where it is defined.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jpki._version import __version__

if TYPE_CHECKING:
    from jpki.card import MyNumberCard
    from jpki.errors import JpkiError
    from jpki.files import CertificateName, PinKind
    from jpki.pins import Pin
    from jpki.readers import open_card

_HOME = {
    "CertificateName": "jpki.files",
    "JpkiError": "jpki.errors",
    "MyNumberCard": "jpki.card",
    "Pin": "jpki.pins",
    "PinKind": "jpki.files",
    "open_card": "jpki.readers",
}

__all__ = [
    "CertificateName",
    "JpkiError",
    "MyNumberCard",
    "Pin",
    "PinKind",
    "__version__",
    "open_card",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # PEP 562
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
