"""What the whole laboratory keeps: licences, words of its own, limits of doses."""

from django.db.models import QuerySet
from rest_framework import serializers

from experiments.actions.licences import with_animals_used
from experiments.models import DoseLimit, Licence, Term
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class LicenceSerializer(RecordSerializer):
    animals_used = serializers.IntegerField(
        read_only=True, help_text="Animals that a procedure was planned for or done to, over all experiments."
    )

    class Meta:
        model = Licence
        fields = (
            "id", "number", "authority", "starts_on", "expires_on", "animals_allowed", "animals_used", "severity"
        )  # fmt: skip


class Licences(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Animal licences."""

    serializer_class = LicenceSerializer

    def records(self) -> QuerySet:
        return with_animals_used(super().records())

    filters = ("number", "starts_on__gte", "starts_on__lte", "expires_on__gte", "expires_on__lte", "severity")
    ordering = ("number",)


class TermSerializer(RecordSerializer):
    class Meta:
        model = Term
        fields = ("id", "vocabulary", "key", "name", "code", "is_retired")


class Terms(ReadRecords, AddRecords, ChangeRecords):
    """The laboratory's own words in lists."""

    serializer_class = TermSerializer
    filters = ("vocabulary", "key", "name", "code", "is_retired")
    ordering = ("vocabulary", "name")


class DoseLimitSerializer(RecordSerializer):
    class Meta:
        model = DoseLimit
        fields = ("id", "species", "agent", "unit", "lowest", "highest", "source")


class DoseLimits(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Ranges of doses by species and agent."""

    serializer_class = DoseLimitSerializer
    filters = ("species", "agent")
    ordering = ("species", "agent")
