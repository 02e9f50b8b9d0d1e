"""Runs a command that gets a signal when the process that started it dies.

Run as a script: ``python -I -S launch.py <signal> <pid of the starter> <user id or -> <group id or -> <command> ...``.
A script of its own, because Python code between fork and exec (``preexec_fn``) may hang a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    death_signal, starter, user, group, command = int(argv[0]), int(argv[1]), argv[2], argv[3], argv[4:]
    if user != "-":  # here and not in the starter: the new user need not be able to run this Python
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    os.umask(0o077)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != starter:  # it died before the line above: no signal will come any more
            sys.exit("the process that started this one is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
