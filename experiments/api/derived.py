"""The shapes of what is computed from recorded rows."""

from typing import Any

from rest_framework import serializers

from experiments.derived import Cycled, Grown


class GrownSerializer(serializers.Serializer):
    """A passage with what follows from its counts; null where a count is missing."""

    passage = serializers.UUIDField()
    number = serializers.IntegerField()
    passage_label = serializers.CharField(help_text="Tells apart two flasks of one passage.")
    doublings = serializers.FloatField(allow_null=True, help_text="log2(Nt / N0)")
    cumulative_doublings = serializers.FloatField(allow_null=True, help_text="Since the first passage of the line.")
    doubling_time_h = serializers.FloatField(allow_null=True)
    warning = serializers.CharField(help_text="Empty up to P8.")


def told_grown(row: Grown) -> dict[str, Any]:
    return {
        "passage": row.passage.pk,
        "number": row.passage.number,
        "passage_label": row.passage.label,
        "doublings": row.doublings,
        "cumulative_doublings": row.cumulative_doublings,
        "doubling_time_h": row.doubling_time_h,
        "warning": row.warning,
    }


class CountedCycleSerializer(serializers.Serializer):
    """From the first day of an estrus to that of the next, by study day."""

    began = serializers.IntegerField()
    ended = serializers.IntegerField()
    days = serializers.IntegerField()
    is_regular = serializers.BooleanField()


class CycleSerializer(serializers.Serializer):
    """An animal's cycle by study day. Days without a read stage are missing and never diestrus."""

    first_day = serializers.IntegerField()
    last_day = serializers.IntegerField()
    days_read = serializers.IntegerField()
    missing_days = serializers.ListField(child=serializers.IntegerField())
    disputed_days = serializers.ListField(child=serializers.IntegerField(), help_text="Readers told different stages.")
    percent_by_stage = serializers.DictField(child=serializers.FloatField(), allow_null=True, help_text="Of days read.")
    cycles = CountedCycleSerializer(many=True)
    uncounted = serializers.ListField(child=serializers.CharField(), help_text="Estruses without a length, and why.")
    is_regular = serializers.BooleanField(allow_null=True)
    longest_diestrus_days = serializers.IntegerField()
    has_persistent_diestrus = serializers.BooleanField(allow_null=True)
    basis = serializers.CharField()


def told_cycle(row: Cycled) -> dict[str, Any]:
    figures = row.figures
    cycles = ({"began": c.began, "ended": c.ended, "days": c.days, "is_regular": c.is_regular} for c in figures.cycles)
    return {
        "first_day": figures.first_day,
        "last_day": figures.last_day,
        "days_read": figures.days_read,
        "missing_days": list(figures.missing_days),
        "disputed_days": list(row.disputed_days),
        "percent_by_stage": figures.percent_by_stage,
        "cycles": list(cycles),
        "uncounted": [f"day {each.began} to {each.ended}: {each.reason}" for each in figures.uncounted],
        "is_regular": figures.is_regular,
        "longest_diestrus_days": figures.longest_diestrus_days,
        "has_persistent_diestrus": figures.has_persistent_diestrus,
        "basis": figures.basis,
    }
