"""The verbs of assays: upload, mask, quantify, accept, reject, publish."""

from assays.actions.publication import publish_run
from assays.actions.runs import (
    QUANTIFY,
    accept_run,
    change_parameters,
    exclude_result,
    mask_well,
    quantify_again,
    reject_run,
    unmask_well,
    upload_plate_file,
)

__all__ = [
    "QUANTIFY",
    "accept_run",
    "change_parameters",
    "exclude_result",
    "mask_well",
    "publish_run",
    "quantify_again",
    "reject_run",
    "unmask_well",
    "upload_plate_file",
]
