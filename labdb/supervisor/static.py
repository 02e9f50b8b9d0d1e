"""Collects the pages' style sheets and scripts when they changed."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from labdb.supervisor.process import write_private
from labdb.supervisor.state import PROJECT

if TYPE_CHECKING:
    from labdb.supervisor.tree import Tree


def collect_static(tree: "Tree") -> None:
    """Runs ``collectstatic`` unless the files and the installed packages are those of the last time."""
    stamp = tree.var.folder("run") / "static.sha256"
    current = _digest()
    if stamp.exists() and stamp.read_text() == current and (tree.var.root / "static").is_dir():
        return
    tree.say("collecting the static files")
    tree.manage("collectstatic", "--noinput", "--skip-checks", "-v", "0", log="migrate")
    write_private(stamp, current)


def _digest() -> str:
    files = [PROJECT / "requirements.lock"]
    for app in ("labdb", "experiments", "assays"):
        files += [path for path in (PROJECT / app).glob("**/static/**/*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(PROJECT)}\0{_content(path)}\0".encode())
    return digest.hexdigest()


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
