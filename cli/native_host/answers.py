"""What the native host does for a site: one function for each command of Web eID."""

from typing import Any, assert_never

from cli.context import AppContext
from cli.login_token import login_request, login_token
from cli.pin_entry import PinRequest, unlocked
from cli.printable import printable
from cli.translation import _
from jpki.authentication.errors import NativeMessageError, NativeMessageFault
from jpki.authentication.native_messaging import certificate_answer, signature_answer
from jpki.authentication.native_messaging_commands import (
    Authenticate,
    GetSigningCertificate,
    Sign,
    SiteCommand,
)
from jpki.files import PinKind
from jpki.signing.raw import sign_raw

Question = Authenticate | GetSigningCertificate | Sign


def answer(app: AppContext, command: Question) -> dict[str, Any]:
    """Ask the person, then the card -> the answer. One VERIFY at most, one signature at most.

    Raises:
        NativeMessageError: OTHER_CERTIFICATE.
        All that ``unlocked`` and the keys of ``JpkiApplication`` raise.
    """
    match command:
        case Authenticate():
            request = login_request(command.origin)
            return login_token(app, request, command.origin, command.nonce).to_object()
        case GetSigningCertificate():
            return _signing_certificate(app, command)
        case Sign():
            return _signature(app, command)
        case _:
            assert_never(command)


def _signing_certificate(app: AppContext, command: GetSigningCertificate) -> dict[str, Any]:
    disclosure = _(
        "{origin} asks for your signature certificate (署名用電子証明書), to have you sign. It"
        " tells your name, address, date of birth and sex."
    )
    with unlocked(app, _request(command, disclosure)) as application:
        return certificate_answer(application.signature_key(at=app.clock()).certificate)


def _signature(app: AppContext, command: Sign) -> dict[str, Any]:
    disclosure = _(
        "{origin} asks you to SIGN with your signature certificate (署名用電子証明書): a document"
        " that only the site has shown you. {hash_function}:\n{digest}"
    )
    with unlocked(app, _request(command, disclosure, _sign_facts(command))) as application:
        key = application.signature_key(at=app.clock())
        if key.certificate != command.certificate:
            raise NativeMessageError(NativeMessageFault.OTHER_CERTIFICATE)
        signature = sign_raw(command.digest, key, command.hash_algorithm)
        return signature_answer(signature, command.hash_function)


def _sign_facts(command: Sign) -> dict[str, str]:
    return {"hash_function": command.hash_function, "digest": command.digest.hex()}


def _request(
    command: SiteCommand, disclosure: str, facts: dict[str, str] | None = None
) -> PinRequest:
    text = disclosure.format(origin=printable(command.origin), **(facts or {}))
    return PinRequest(kind=PinKind.SIGNATURE, disclosure=text)
