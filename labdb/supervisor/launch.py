"""Runs a command that gets a signal when the process that started it dies.

Run as a script, with nothing but the standard library:
``python -I -S launch.py <signal> <pid of the starter> <command> ...``. A script of its own, because Python code between
fork and exec (``preexec_fn``) may hang a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    death_signal, starter, command = int(argv[0]), int(argv[1]), argv[2:]
    os.umask(0o077)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != starter:  # it died before the line above: no signal will come any more
            sys.exit("the process that started this one is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
