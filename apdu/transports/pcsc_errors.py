"""What each PC/SC return code means for us: one table, and the one place that reads it.

A code can mean two things. Outside an exchange nothing has happened to the card. In an exchange the
card may have executed the command, so whatever does not prove the opposite is a ``TransportError``.
"""

from enum import Enum, auto

from apdu.errors import (
    CardError,
    CardInUseError,
    CardRemovedError,
    CardResetError,
    CardSilentError,
    NoCardError,
    NoReaderError,
    PcscFault,
    PcscUnavailableError,
    TransportError,
)

SUCCESS = 0x00000000
TIMEOUT = 0x8010000A
RESET_CARD = 0x80100068


class _Kind(Enum):
    NO_SERVICE = auto()
    ACCESS_DENIED = auto()
    SERVICE_FAILED = auto()
    NO_READER = auto()
    NO_CARD = auto()
    REMOVED = auto()
    IN_USE = auto()
    RESET = auto()
    UNPOWERED = auto()
    MUTE = auto()
    FAILED = auto()


# The numbers are those of winscard.h and pcsclite.h, the same on all platforms. They are written
# out because pyscard, which names them (SCARD_E_TIMEOUT and so on), may be absent.
_KINDS: dict[int, _Kind] = {
    0x80100001: _Kind.SERVICE_FAILED,  # F_INTERNAL_ERROR
    0x80100002: _Kind.FAILED,  # E_CANCELLED
    0x80100003: _Kind.SERVICE_FAILED,  # E_INVALID_HANDLE: the service was restarted meanwhile
    0x80100004: _Kind.SERVICE_FAILED,  # E_INVALID_PARAMETER
    0x80100005: _Kind.SERVICE_FAILED,  # E_INVALID_TARGET
    0x80100006: _Kind.SERVICE_FAILED,  # E_NO_MEMORY
    0x80100007: _Kind.SERVICE_FAILED,  # F_WAITED_TOO_LONG
    0x80100008: _Kind.FAILED,  # E_INSUFFICIENT_BUFFER
    0x80100009: _Kind.NO_READER,  # E_UNKNOWN_READER
    0x8010000A: _Kind.MUTE,  # E_TIMEOUT
    0x8010000B: _Kind.IN_USE,  # E_SHARING_VIOLATION
    0x8010000C: _Kind.NO_CARD,  # E_NO_SMARTCARD
    0x8010000D: _Kind.FAILED,  # E_UNKNOWN_CARD
    0x8010000E: _Kind.FAILED,  # E_CANT_DISPOSE
    0x8010000F: _Kind.FAILED,  # E_PROTO_MISMATCH
    0x80100010: _Kind.FAILED,  # E_NOT_READY
    0x80100011: _Kind.SERVICE_FAILED,  # E_INVALID_VALUE
    0x80100012: _Kind.FAILED,  # E_SYSTEM_CANCELLED
    0x80100013: _Kind.SERVICE_FAILED,  # F_COMM_ERROR: between library and service
    0x80100014: _Kind.SERVICE_FAILED,  # F_UNKNOWN_ERROR
    0x80100015: _Kind.FAILED,  # E_INVALID_ATR
    0x80100016: _Kind.FAILED,  # E_NOT_TRANSACTED: how pcscd reports that the reader's driver failed
    0x80100017: _Kind.NO_READER,  # E_READER_UNAVAILABLE: unplugged
    0x80100018: _Kind.NO_SERVICE,  # P_SHUTDOWN
    0x80100019: _Kind.FAILED,  # E_PCI_TOO_SMALL
    0x8010001A: _Kind.FAILED,  # E_READER_UNSUPPORTED
    0x8010001B: _Kind.FAILED,  # E_DUPLICATE_READER
    0x8010001C: _Kind.FAILED,  # E_CARD_UNSUPPORTED
    0x8010001D: _Kind.NO_SERVICE,  # E_NO_SERVICE
    0x8010001E: _Kind.NO_SERVICE,  # E_SERVICE_STOPPED
    0x8010001F: _Kind.SERVICE_FAILED,  # E_UNEXPECTED; in pcsclite E_UNSUPPORTED_FEATURE as well
    0x80100020: _Kind.FAILED,  # E_ICC_INSTALLATION
    0x80100021: _Kind.FAILED,  # E_ICC_CREATEORDER
    0x80100022: _Kind.SERVICE_FAILED,  # E_UNSUPPORTED_FEATURE
    0x80100023: _Kind.FAILED,  # E_DIR_NOT_FOUND
    0x80100024: _Kind.FAILED,  # E_FILE_NOT_FOUND
    0x80100025: _Kind.FAILED,  # E_NO_DIR
    0x80100026: _Kind.FAILED,  # E_NO_FILE
    0x80100027: _Kind.ACCESS_DENIED,  # E_NO_ACCESS
    0x80100028: _Kind.FAILED,  # E_WRITE_TOO_MANY
    0x80100029: _Kind.FAILED,  # E_BAD_SEEK
    0x8010002A: _Kind.FAILED,  # E_INVALID_CHV
    0x8010002B: _Kind.NO_SERVICE,  # E_UNKNOWN_RES_MNG
    0x8010002C: _Kind.FAILED,  # E_NO_SUCH_CERTIFICATE
    0x8010002D: _Kind.FAILED,  # E_CERTIFICATE_UNAVAILABLE
    0x8010002E: _Kind.NO_READER,  # E_NO_READERS_AVAILABLE
    0x8010002F: _Kind.FAILED,  # E_COMM_DATA_LOST
    0x80100030: _Kind.FAILED,  # E_NO_KEY_CONTAINER
    0x80100031: _Kind.SERVICE_FAILED,  # E_SERVER_TOO_BUSY
    0x80100065: _Kind.FAILED,  # W_UNSUPPORTED_CARD
    0x80100066: _Kind.MUTE,  # W_UNRESPONSIVE_CARD
    0x80100067: _Kind.UNPOWERED,  # W_UNPOWERED_CARD
    0x80100068: _Kind.RESET,  # W_RESET_CARD
    0x80100069: _Kind.REMOVED,  # W_REMOVED_CARD
    0x8010006A: _Kind.ACCESS_DENIED,  # W_SECURITY_VIOLATION: polkit, or a service that hangs up
    0x8010006B: _Kind.FAILED,  # W_WRONG_CHV
    0x8010006C: _Kind.FAILED,  # W_CHV_BLOCKED
    0x8010006D: _Kind.FAILED,  # W_EOF
    0x8010006E: _Kind.FAILED,  # W_CANCELLED_BY_USER
    0x8010006F: _Kind.FAILED,  # W_CARD_NOT_AUTHENTICATED
}

_SERVICE_FAULTS = {
    _Kind.NO_SERVICE: PcscFault.NO_SERVICE,
    _Kind.ACCESS_DENIED: PcscFault.ACCESS_DENIED,
    _Kind.SERVICE_FAILED: PcscFault.UNKNOWN,
}


def error_for(hresult: int, *, reader: str | None, in_exchange: bool = False) -> CardError:
    """Return the error that ``hresult`` stands for; a code that nobody has heard of is one, too.

    Args:
        hresult: unsigned, 32 bits; not success.
        reader: the reader the call was about, if it was about one.
        in_exchange: whether a command was on its way to the card.
    """
    kind = _KINDS.get(hresult, _Kind.SERVICE_FAILED)
    if in_exchange:
        return _exchange_error(kind, hresult, reader or "")
    if kind is _Kind.FAILED and reader is None:
        kind = _Kind.SERVICE_FAILED
    if fault := _SERVICE_FAULTS.get(kind):
        return PcscUnavailableError(fault, hresult)
    if kind is _Kind.NO_READER:
        return NoReaderError(reader)
    if kind is _Kind.NO_CARD:
        return NoCardError((reader,) if reader else ())
    if kind is _Kind.UNPOWERED:  # the reader could not power it on
        return CardSilentError()
    return _exchange_error(kind, hresult, reader or "")


def _exchange_error(kind: _Kind, hresult: int, reader: str) -> CardError:
    match kind:
        case _Kind.IN_USE:  # refused before the card saw anything
            return CardInUseError(reader)
        case _Kind.RESET | _Kind.UNPOWERED:
            return CardResetError()
        case _Kind.REMOVED | _Kind.NO_CARD | _Kind.NO_READER:
            return CardRemovedError()
        case _Kind.MUTE:
            return CardSilentError()
        case _:
            return TransportError(f"PC/SC code 0x{hresult:08X}")
