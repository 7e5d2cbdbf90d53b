"""Become another program that the system kills when its parent ends, were it by SIGKILL. Linux.

Run as ``python -I -S child_of.py PARENT_PID PROGRAM``, and not by ``preexec_fn``: the parent has
threads, and only a process of its own may then do anything between fork and exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2); it outlives exec


def main() -> None:
    """Replace this process, unless the parent is gone already."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would keep that
    parent, program = sys.argv[1:]
    if os.getppid() == int(parent):
        os.execv(program, [program])  # noqa: S606  # the person's own PIN program


if __name__ == "__main__":
    main()
