"""Status words, ISO/IEC 7816-4:2020 5.6, with those that a card may add to them."""

from enum import IntEnum


class SW(IntEnum):
    """Status words that have a name here.

    A card may send any other, so a status word stays an ``int`` and is compared with these:
    ``SW(sw)`` on card input would raise.
    """

    OK = 0x9000
    NO_INFORMATION = 0x6200
    DATA_CORRUPTED = 0x6281
    END_OF_FILE = 0x6282
    FILE_DEACTIVATED = 0x6283
    VERIFICATION_FAILED = 0x6300  # without a count: nothing is known of the tries left
    EXECUTION_ERROR = 0x6400
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    LOGICAL_CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    COMMAND_INCOMPATIBLE = 0x6981
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_METHOD_BLOCKED = 0x6983
    REFERENCE_DATA_NOT_USABLE = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_EF = 0x6986
    INCORRECT_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NOT_ENOUGH_MEMORY = 0x6A84
    INCORRECT_P1_P2 = 0x6A86
    REFERENCED_DATA_NOT_FOUND = 0x6A88
    WRONG_PARAMETERS = 0x6B00  # for READ BINARY: the offset lies outside the file
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    NO_PRECISE_DIAGNOSIS = 0x6F00


def tries_left(sw: int) -> int | None:
    """Return the count in ``63Cx`` (0..15), or None if the status word carries none.

    Only 63Cx counts. The low digit of any other status word means something else: reading it from
    6984 would report four tries on a blocked PIN. ISO/IEC 7816-4 5.6, table 7 (counter X, 0 to 15).
    """
    return sw & 0x000F if sw & 0xFFF0 == 0x63C0 else None


def is_blocked(sw: int) -> bool:
    """Tell whether ``sw``, in answer to VERIFY or to the tries query, says that no try is left.

    63C0 is the count itself; 6983 and 6984 are what cards answer when the reference data are no
    longer usable.
    """
    return sw in {0x63C0, SW.AUTHENTICATION_METHOD_BLOCKED, SW.REFERENCE_DATA_NOT_USABLE}


def describe(sw: int) -> str:
    """Return the digits and, where known, the meaning: ``6B00 wrong parameters``."""
    return f"{sw:04X} {meaning}" if (meaning := _meaning(sw)) else f"{sw:04X}"


def _meaning(sw: int) -> str:
    if (tries := tries_left(sw)) is not None:
        return f"verification failed, {tries} tries left"
    if sw & 0xFF00 == 0x6100:
        return f"{sw & 0xFF or 256} bytes available"
    if sw & 0xFF00 == 0x6C00:
        return f"wrong Le, {sw & 0xFF or 256} bytes available"
    try:
        return SW(sw).name.lower().replace("_", " ").replace(" p1 p2", " P1-P2")
    except ValueError:
        return ""
