"""As whom PostgreSQL runs. It refuses root, so root needs a way out that creates no account and opens no folder."""

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from labdb.supervisor.errors import ServiceError


@dataclass(frozen=True)
class Account:
    """How a command is started: words before it, and the user and group it changes to."""

    prefix: tuple[str, ...] = ()
    user_and_group: tuple[int, int] | None = None

    def own(self, path: Path) -> None:
        """Gives the file or folder to the account's user."""
        if self.user_and_group:
            os.chown(path, *self.user_and_group)


MYSELF = Account()


def for_postgres(cluster: Path) -> Account:
    """The account for a cluster: the caller; for root a user namespace, else the cluster's owner, else nobody.

    Raises ServiceError when an ordinary user comes to a cluster that belongs to somebody else.
    """
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise ServiceError(
                f"{cluster} belongs to user {owner.st_uid}, you are user {os.geteuid()}: start as that user, or "
                "have the folder given to you with chown -R"
            )
        return MYSELF
    if owner and owner.st_uid != 0:
        return Account(user_and_group=(owner.st_uid, owner.st_gid))
    if _namespaces_work():
        return Account(prefix=("unshare", "--user", "--map-user=1000"))
    nobody = pwd.getpwnam("nobody")
    return Account(user_and_group=(nobody.pw_uid, nobody.pw_gid))


@functools.cache
def _namespaces_work() -> bool:
    if not shutil.which("unshare"):
        return False
    return (
        subprocess.run(["unshare", "--user", "--map-user=1000", "true"], capture_output=True, check=False).returncode
        == 0
    )
