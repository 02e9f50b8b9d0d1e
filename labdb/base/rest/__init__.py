"""The door base of REST: what every resource under ``/api/v1`` stands on.

A resource is a serializer that names its fields once, a view of two or three lines, and a line in the app's router::

    class PlateSerializer(RecordSerializer):
        class Meta:
            model = Plate
            fields = ("id", "experiment", "code", "read_at")
            read_only_fields = ("read_at",)

    class Plates(ReadRecords, AddRecords, ChangeRecords):
        serializer_class = PlateSerializer
        filters = ("experiment", "read_at__gte")   # every other query parameter is a 400
        ordering = ("code",)

        def add(self, values):                     # where a verb makes the row; left out, the model's save() does
            return receive_plate(**values, by=self.request.user)

    router = ApiRouter()
    router.register("plates", Plates)              # plural noun, no trailing slash

``ReadRecords`` gives list and detail of what ``visible_to`` shows; ``AddRecords`` and ``ChangeRecords`` ask ``require`` and
end in ``save()`` or a verb. Rows go out by ``.values()`` of the serializer's fields, never through the serializer, so a
computed field is an annotation of the same name in ``records()`` and a field with a dotted ``source`` is a join.
An extra endpoint is a method under ``@action``; its query parameters stand in ``query_parameters = {"its_name": (…)}``.
A verb's errors (ValidationError, BulkRefused, PermissionDenied, IntegrityError) need no handling: ``answer_errors`` does it.

Nothing is imported here: the settings of the REST framework name these modules while its own are still loading.
"""
