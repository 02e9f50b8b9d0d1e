"""Imports of record tables beside those through a template, and imports that were undone."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

STATES = ("checking", "checked", "taking", "taken", "discarded", "undone")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0005_full_record")]

    operations = [
        migrations.AddField(
            "importrun",
            "table",
            models.CharField(
                blank=True, help_text="The type of record, where a row of the file is one.", max_length=40
            ),
        ),
        migrations.AlterField(
            "importrun",
            "mapping",
            models.JSONField(help_text="The template's mapping when the run began, or how the table was written."),
        ),
        migrations.AlterField(
            "importrun",
            "state",
            models.CharField(
                choices=[(state, state.capitalize()) for state in STATES], default="checking", max_length=10
            ),
        ),
        migrations.AlterField(
            "importrun",
            "template",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="experiments.importtemplate",
            ),
        ),
        migrations.AddConstraint(
            "importrun",
            models.CheckConstraint(
                condition=Q(table="", template__isnull=False) | (Q(template__isnull=True) & ~Q(table="")),
                name="import_run_template_or_table",
            ),
        ),
    ]
