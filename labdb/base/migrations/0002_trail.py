"""The tables of the trail. Its triggers are put on every table after each migrate (labdb.base.trail.install)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import labdb.base.trail.models
from labdb.base.trail.sql import PROTECT, UNHANG


class Migration(migrations.Migration):
    dependencies = [("labdb", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="TrailStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("table_name", models.TextField(db_collation="C")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("I", "added"),
                            ("U", "changed"),
                            ("D", "deleted"),
                            ("T", "table emptied"),
                            ("B", "there when the trail began"),
                        ],
                        max_length=1,
                    ),
                ),
                ("db_role", models.TextField(verbose_name="database role")),
                ("door", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                ("transaction_id", models.BigIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "statement of the trail",
                "verbose_name_plural": "statements of the trail",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["person", "id"], name="trail_of_person"),
                    models.Index(fields=["at"], name="trail_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrailEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table_name", models.TextField(db_collation="C")),
                ("row_id", models.TextField(db_collation="C")),
                ("experiment_id", models.UUIDField(null=True)),
                ("old", models.JSONField(decoder=labdb.base.trail.models.ExactDecoder, null=True)),
                ("new", models.JSONField(decoder=labdb.base.trail.models.ExactDecoder, null=True)),
                (
                    "statement",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="entries",
                        to="labdb.trailstatement",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry of the trail",
                "verbose_name_plural": "entries of the trail",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["row_id", "table_name", "id"], name="trail_of_row"),
                    models.Index(fields=["experiment_id", "id"], name="trail_of_experiment"),
                    models.Index(fields=["statement"], name="trail_of_statement"),
                ],
            },
        ),
        migrations.RunSQL(PROTECT, UNHANG),
    ]
