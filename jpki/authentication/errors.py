"""Why a login or an SSH agent is refused, and the errors; a branch of ``jpki.errors``."""

from enum import Enum

from jpki.certificates.validation import PathReport
from jpki.errors import JpkiError


class TokenFault(Enum):
    """Why an authentication token, its origin or its nonce was refused."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    FORMAT = "format"
    ALGORITHM = "algorithm"
    ORIGIN = "origin"
    NONCE = "nonce"
    """It has not the form of one."""
    NONCE_UNKNOWN = "nonce-unknown"
    NONCE_OF_OTHER_SESSION = "nonce-of-other-session"
    NONCE_TAKEN = "nonce-taken"
    NONCE_EXPIRED = "nonce-expired"
    CERTIFICATE = "certificate"
    SIGNATURE = "signature"


class TokenError(JpkiError):
    """An authentication token, origin or nonce was refused; ``fault`` says why.

    For CERTIFICATE, ``reasons`` are codes of ``jpki.certificates.Reason`` and ``path_report`` is
    what the check of the path found.
    """

    code = "token-invalid"

    def __init__(
        self,
        fault: TokenFault,
        detail: str = "",
        *,
        reasons: tuple[str, ...] = (),
        path_report: PathReport | None = None,
    ) -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.reasons = reasons
        self.path_report = path_report


class NativeMessageFault(Enum):
    """Why a message of a browser's extension was refused."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    COMMAND = "command"
    HASH_FUNCTION = "hash-function"
    HASH = "hash"
    CERTIFICATE = "certificate"
    OTHER_CERTIFICATE = "other-certificate"
    """It is not the card's: another card was used when the site asked for the certificate."""


class NativeMessageError(JpkiError):
    """A message to the native host was refused; ``fault`` says why. Nothing of it is kept."""

    code = "native-message"

    def __init__(self, fault: NativeMessageFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SocketFault(Enum):
    """Why an agent cannot have its socket where it should be."""

    IN_USE = "in-use"
    """Another agent answers there."""
    NOT_A_SOCKET = "not-a-socket"
    FOLDER_NOT_PRIVATE = "folder-not-private"
    UNUSABLE = "unusable"
    """The system says no; ``detail`` is its word."""


class AgentSocketError(JpkiError):
    """The SSH agent cannot listen at ``path``."""

    code = "agent-socket"

    def __init__(self, path: str, fault: SocketFault, detail: str = "") -> None:
        super().__init__(fault.value)
        self.path = path
        self.fault = fault
        self.detail = detail
