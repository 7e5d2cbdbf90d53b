"""Origins of web sites, RFC 6454 6.2, as a login signs them."""

import ipaddress
import re

from jpki.authentication.errors import TokenError, TokenFault

MAX_HOST_LENGTH = 253
DEFAULT_PORT = 443
ORIGIN = re.compile(
    r"https://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[1-9][0-9]{0,4}))?", re.ASCII
)
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def check_origin(origin: str) -> None:
    """Check that an origin is ``https://host[:port]``, just as a browser writes it.

    Lower-case ASCII (punycode), no user, path or trailing slash, no ``:443``: the site hashes its
    origin in this form, and a login signed in another one would only fail there.

    Raises:
        TokenError: ORIGIN.
    """
    match = ORIGIN.fullmatch(origin)
    if match is None:
        raise TokenError(TokenFault.ORIGIN, "wanted is https://host or https://host:port")
    port = match["port"]
    if port is not None and (int(port) == DEFAULT_PORT or int(port) > 0xFFFF):
        raise TokenError(TokenFault.ORIGIN, "the port is the default one or none at all")
    if not _is_host(match["host"]):
        raise TokenError(TokenFault.ORIGIN, "the host cannot be one")


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    labels = host.split(".")
    if len(host) > MAX_HOST_LENGTH or not all(map(LABEL.fullmatch, labels)):
        return False
    return not labels[-1].isdigit() or _is_ipv4(host)


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text).compressed == text
    except ValueError:
        return False


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
