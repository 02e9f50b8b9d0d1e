"""What befalls animals: fertility, adverse events, tumours."""

from typing import Any

from experiments.actions.fertility import record_fertility
from experiments.models import AdverseEvent, FertilityTrial, Tumour
from labdb.base.acting import current
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords


class FertilityTrialSerializer(RecordSerializer):
    class Meta:
        model = FertilityTrial
        fields = (
            "id",
            "enrolment",
            "male",
            "male_label",
            "paired_on",
            "separated_on",
            "plug_on",
            "is_mated",
            "is_pregnant",
            "corpora_lutea",
            "implantations",
            "live_fetuses",
            "dead_fetuses",
            "resorptions",
            "born_on",
            "pups_total",
            "pups_male",
            "pups_female",
            "pups_alive",
            "litter",
            "note",
        )


class FertilityTrials(ReadRecords, AddRecords, ChangeRecords):
    """Pairings and what came of them. What is a value is published as an observation of the female, in the same step."""

    serializer_class = FertilityTrialSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "male",
        "paired_on__gte",
        "paired_on__lte",
        "separated_on__gte",
        "separated_on__lte",
        "plug_on__gte",
        "plug_on__lte",
        "is_mated",
        "is_pregnant",
        "born_on__gte",
        "born_on__lte",
        "litter",
    )
    ordering = ("paired_on",)

    def add(self, values: dict[str, Any]) -> FertilityTrial:
        return record_fertility(trial=FertilityTrial(**values), by=self.request.user)

    def change(self, record: Any, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(record, name, value)
        record_fertility(trial=record, by=self.request.user, reason=current().reason)


class AdverseEventSerializer(RecordSerializer):
    class Meta:
        model = AdverseEvent
        fields = (
            "id",
            "enrolment",
            "kind",
            "occurred_on",
            "severity",
            "relation",
            "description",
            "action_taken",
            "resolved_on",
        )


class AdverseEvents(ReadRecords, AddRecords, ChangeRecords):
    """Untoward events."""

    serializer_class = AdverseEventSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "kind",
        "occurred_on__gte",
        "occurred_on__lte",
        "severity",
        "relation",
        "resolved_on__gte",
        "resolved_on__lte",
    )
    ordering = ("occurred_on",)


class TumourSerializer(RecordSerializer):
    class Meta:
        model = Tumour
        fields = ("id", "enrolment", "organ", "found_on", "size_mm", "histology", "is_of_donor_cells")


class Tumours(ReadRecords, AddRecords, ChangeRecords):
    """Tumours that were found."""

    serializer_class = TumourSerializer
    filters = ("enrolment__experiment", "enrolment", "organ", "found_on__gte", "found_on__lte", "is_of_donor_cells")
    ordering = ("found_on",)
