"""As whom PostgreSQL runs. It refuses root, so root needs a way out that creates no account and opens no folder."""

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from labdb.supervisor.errors import ServiceError


@dataclass(frozen=True)
class Account:
    """How a command is started: words before it, a change of user for ``subprocess``, who owns its folders."""

    prefix: tuple[str, ...] = ()
    change: dict[str, object] = field(default_factory=dict)
    owner: tuple[int, int] | None = None  # user and group that folders are given to; None: leave them

    def own(self, folder: Path) -> None:
        if self.owner:
            os.chown(folder, *self.owner)


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
        return _become(owner.st_uid, owner.st_gid)
    if _namespaces_work():
        return Account(prefix=("unshare", "--user", "--map-user=1000"))
    nobody = pwd.getpwnam("nobody")
    return _become(nobody.pw_uid, nobody.pw_gid)


def _become(user: int, group: int) -> Account:
    return Account(change={"user": user, "group": group, "extra_groups": []}, owner=(user, group))


@functools.cache
def _namespaces_work() -> bool:
    if not shutil.which("unshare"):
        return False
    return (
        subprocess.run(["unshare", "--user", "--map-user=1000", "true"], capture_output=True, check=False).returncode
        == 0
    )
