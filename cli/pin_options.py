"""Options and arguments that name a PIN, or say where it comes from."""

from collections.abc import Callable
from typing import Any, Final

import click

from cli.errors import UsageProblemError
from cli.options import option
from cli.pin_source import PinSource
from cli.translation import N_
from jpki.files import PinKind
from jpki.unlocking import LockedSecret

ALIASES: Final = {"sign": "signature", "auth": "authentication"}
SOURCE_METAVAR: Final = "SOURCE"


def secret_source(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> PinSource | None:
    """The callback of an option that says where a secret comes from."""
    if value is None or ctx.resilient_parsing:
        return None
    return PinSource.parse(value, parameter.opts[0])


def pin_from() -> Callable[[Any], Any]:
    """The option that says where a script's PIN is."""
    return option(
        "--pin-from",
        metavar=SOURCE_METAVAR,
        callback=secret_source,
        help=N_("Where a script's PIN comes from: env:VARIABLE, file:PATH, fd:NUMBER or stdin."),
    )


def new_pin_from() -> Callable[[Any], Any]:
    """The option that says where a script's new PIN is."""
    return option(
        "--new-pin-from",
        metavar=SOURCE_METAVAR,
        callback=secret_source,
        help=N_("Where a script's new PIN comes from; as --pin-from."),
    )


def use_last_try() -> Callable[[Any], Any]:
    """The option that gives the last try away, at a terminal."""
    return option(
        "--use-last-try",
        is_flag=True,
        help=N_("Use even the last try. At a terminal only; wrong, it blocks the PIN."),
    )


class SecretType(click.ParamType[LockedSecret]):
    """KIND. A value that is none is not shown: it may be the PIN itself."""

    name = "kind"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002  # click's own
        ctx: click.Context | None,
    ) -> LockedSecret:
        """Understand a word or its alias."""
        if isinstance(value, LockedSecret):
            return value
        word = ALIASES.get(str(value), str(value))
        for secret in LockedSecret:
            if secret.value == word:
                return secret
        detail = N_("KIND is signature (sign), authentication (auth) or text.")
        raise UsageProblemError(detail, ctx.command_path if ctx else None)


class PinKindType(SecretType):
    """KIND, of those PINs that this version can send."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:  # noqa: ANN401  # another type than that of the base
        """Understand a word or its alias."""
        if isinstance(value, PinKind):
            return value
        secret = super().convert(value, param, ctx)
        if secret is LockedSecret.TEXT:
            detail = N_("The text PIN cannot be used yet; 'jpki pin unlock text' tells about it.")
            raise UsageProblemError(detail, ctx.command_path if ctx else None)
        return next(kind for kind in PinKind if kind.value == secret.value)


def kind_argument(kind_type: SecretType) -> Callable[[Any], Any]:
    """The argument KIND."""
    return click.argument("kind", type=kind_type, metavar="KIND")
