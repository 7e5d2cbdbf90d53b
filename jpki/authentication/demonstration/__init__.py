"""A small site that logs people in with their card: to look at, to try, and to copy from.

It is made of what ``jpki.authentication`` offers to any site, and of Starlette, Jinja2 and uvicorn.
Nothing else of ``jpki`` imports it.
"""

from jpki.authentication.demonstration.application import Demonstration
from jpki.authentication.demonstration.limits import Limits
from jpki.authentication.demonstration.server import listen, serve
from jpki.authentication.demonstration.tls import ServerCertificate, load_certificate, throw_away

__all__ = [
    "Demonstration",
    "Limits",
    "ServerCertificate",
    "listen",
    "load_certificate",
    "serve",
    "throw_away",
]
