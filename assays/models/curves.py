"""Standard curves as fitted."""

from django.db import models
from django.db.models import Q

from assays.models.parts import PartOfRun, finite
from assays.models.plates import Plate
from labdb.base.constraints import Check


class Curve(PartOfRun):
    """One fitted standard curve, of one plate or (``plate`` empty) of all plates of the run.

    Only a curve whose ``verdict`` is ``ok`` gives concentrations. The limits are its lowest non-zero and its highest
    standard, in ``unit``.
    """

    plate = models.ForeignKey(Plate, models.PROTECT, null=True, blank=True, related_name="curves")
    position = models.PositiveIntegerField()
    model = models.CharField(max_length=60)
    weighting = models.CharField(max_length=10)
    verdict = models.CharField(max_length=200)
    r_squared = models.FloatField("R²", null=True, blank=True)
    rss = models.FloatField("residual sum of squares", null=True, blank=True)
    df = models.IntegerField("degrees of freedom")
    n_points = models.PositiveIntegerField()
    lower_limit = models.FloatField(null=True, blank=True)
    upper_limit = models.FloatField(null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True)

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "plate"],
                name="curve_once",
                nulls_distinct=False,
                violation_error_message="The run already has a curve of this plate.",
            ),
            Check("curve_verdict", ~Q(verdict=""), "A curve has a verdict.", "verdict"),
            *(finite("curve", name) for name in ("r_squared", "rss", "lower_limit", "upper_limit")),
        ]

    def __str__(self) -> str:
        return f"{self.model}, weighted {self.weighting}: {self.verdict}"

    @property
    def is_ok(self) -> bool:
        return self.verdict == "ok"


class CurveParameter(PartOfRun):
    """One fitted parameter with its standard error."""

    curve = models.ForeignKey(Curve, models.PROTECT, related_name="parameters")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=30)
    estimate = models.FloatField()
    standard_error = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["curve", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["curve", "name"],
                name="curve_parameter_once",
                violation_error_message="The curve already has this parameter.",
            ),
            *(finite("curve_parameter", name) for name in ("estimate", "standard_error")),
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.estimate:g}"
