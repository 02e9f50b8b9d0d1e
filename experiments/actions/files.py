"""Receiving a file: its bytes are kept under their SHA-256 before any row speaks of them."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from experiments.models import Experiment, SourceFile
from labdb.base.access import require
from labdb.base.verbs import verb


@verb
def receive_file(
    *, data: bytes, name: str, by: Any, experiment: Experiment | None = None, part_of: Any = None
) -> SourceFile:
    """Keep ``data`` as it came. The same bytes from the same person in the same place are the same file.

    From another person they are a file of their own: who does not see the first one does not learn of it either.
    ``part_of`` is the row that the file comes with (a run): who may add it may send its file.

    Raises:
        ValidationError: the file is empty or larger than ``LABDB_MAX_UPLOAD_BYTES``.
        PermissionDenied: ``by`` may not add files to the experiment.
    """
    require(by, "add", part_of or SourceFile(experiment=experiment))
    if not data:
        raise ValidationError({"file": f"“{name}” is empty."})
    if len(data) > settings.LABDB_MAX_UPLOAD_BYTES:
        limit = settings.LABDB_MAX_UPLOAD_BYTES // 1024**2
        raise ValidationError({"file": f"“{name}” has {len(data) / 1024**2:.0f} MB; expected at most {limit} MB."})
    sha256 = keep_bytes(data)
    known = SourceFile.objects.filter(experiment=experiment, uploaded_by=by, sha256=sha256)
    found = known.first()
    if found:
        return found
    received = SourceFile(experiment=experiment, sha256=sha256, name=Path(name).name[:250], size_bytes=len(data))
    received.uploaded_by = by
    try:
        with transaction.atomic():
            received.save()
    except (IntegrityError, ValidationError):  # the same bytes came at the same moment
        same = known.first()
        if same is None:
            raise
        return same
    return received


def keep_bytes(data: bytes) -> str:
    """Write ``data`` under its SHA-256 in ``LABDB_FILES_DIR``, whole or not at all, and return the digest in hex."""
    sha256 = hashlib.sha256(data).hexdigest()
    folder = Path(settings.LABDB_FILES_DIR) / sha256[:2]
    target = folder / sha256
    if target.exists():
        return sha256
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return sha256
