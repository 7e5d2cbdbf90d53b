"""The place where an agent listens: a unix socket that only its owner can speak to."""

import errno
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from jpki.authentication.errors import AgentSocketError, SocketFault

BACKLOG: Final = 128
PRIVATE_FOLDER: Final = 0o700
SOCKET_MASK: Final = 0o177
"""Of what a new socket must not have; it leaves read and write for its owner."""
PROBE_TIMEOUT_S: Final = 2.0

_UCRED: Final = struct.Struct("3i")  # Linux, unix(7): pid, uid, gid
_XUCRED: Final = struct.Struct("II")  # macOS and BSD, <sys/ucred.h>: version, uid, and more
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1
_XUCRED_SIZE: Final = 76


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen at a path, mode 0600, until the block ends; the socket is removed then.

    What a dead agent left there is replaced.

    Raises:
        AgentSocketError: another agent is alive there, or the place cannot be used.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise AgentSocketError(str(path), SocketFault.UNUSABLE, os.strerror(errno.EAFNOSUPPORT))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        try:
            with _folder_locked(path.parent):
                _clear(path)
                _bind(listener, path)
                listener.listen(BACKLOG)  # until then it would look like a dead agent's
                mine = _identity(path)
        except OSError as error:
            fault = SocketFault.IN_USE if error.errno == errno.EADDRINUSE else SocketFault.UNUSABLE
            raise AgentSocketError(str(path), fault, error.strerror or str(error)) from error
        try:
            yield listener
        finally:
            if _identity(path) == mine:  # else somebody put another one there
                path.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, or take the one that is there.

    Raises:
        AgentSocketError: it is somebody else's, open to others, or no folder.
    """
    try:
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        detail = error.strerror or str(error)
        raise AgentSocketError(str(path), SocketFault.UNUSABLE, detail) from error
    is_open = stat.S_IMODE(status.st_mode) & ~PRIVATE_FOLDER
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or is_open:
        raise AgentSocketError(str(path), SocketFault.FOLDER_NOT_PRIVATE)
    return path


def peer_is_trusted(connection: socket.socket) -> bool:
    """Whether the process at the other end is this user's, or root's, as in OpenSSH.

    Where the system does not tell, the mode of the socket alone keeps others away.
    """
    with suppress(OSError):
        uid = _peer_uid(connection)
        return uid is None or uid in {os.geteuid(), 0}
    return False


def _peer_uid(connection: socket.socket) -> int | None:
    if sys.platform == "linux":
        return int(
            _UCRED.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
            )[1]
        )
    if sys.platform == "darwin" or "bsd" in sys.platform:
        content = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE)
        return int(_XUCRED.unpack_from(content)[1])
    return None


def _clear(path: Path) -> None:
    """Make room. Raises: AgentSocketError, OSError."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise AgentSocketError(str(path), SocketFault.NOT_A_SOCKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:  # its owner is dead
            path.unlink(missing_ok=True)
        except TimeoutError:  # or it is only busy: alive
            raise AgentSocketError(str(path), SocketFault.IN_USE) from None
        else:
            raise AgentSocketError(str(path), SocketFault.IN_USE)


def _bind(listener: socket.socket, path: Path) -> None:
    before = os.umask(SOCKET_MASK)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = path.lstat()
        return status.st_dev, status.st_ino
    return None


@contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """Keep a second agent from clearing away what this one is about to make."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
