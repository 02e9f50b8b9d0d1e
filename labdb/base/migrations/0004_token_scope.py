import uuid

import django.contrib.postgres.fields
from django.db import migrations, models

# A token gets a key of its own: its hash is a secret, and the key of a row is shown.
FORWARDS = """
    ALTER TABLE labdb_accesstoken ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
    ALTER TABLE labdb_accesstoken ALTER COLUMN id DROP DEFAULT;
    ALTER TABLE labdb_accesstoken DROP CONSTRAINT labdb_accesstoken_pkey;
    ALTER TABLE labdb_accesstoken ADD PRIMARY KEY (id);
    ALTER TABLE labdb_accesstoken ADD CONSTRAINT labdb_accesstoken_digest_key UNIQUE (digest);
"""
BACKWARDS = """
    ALTER TABLE labdb_accesstoken DROP CONSTRAINT labdb_accesstoken_digest_key;
    ALTER TABLE labdb_accesstoken DROP COLUMN id;
    ALTER TABLE labdb_accesstoken ADD PRIMARY KEY (digest);
"""


class Migration(migrations.Migration):
    dependencies = [("labdb", "0003_people")]

    operations = [
        migrations.RunSQL(
            FORWARDS,
            BACKWARDS,
            state_operations=[
                migrations.AddField(
                    model_name="accesstoken",
                    name="id",
                    field=models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                migrations.AlterField(
                    model_name="accesstoken",
                    name="digest",
                    field=models.CharField(editable=False, max_length=128, unique=True),
                ),
            ],
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="name",
            field=models.CharField(
                blank=True, default="", help_text="What it is for: a script, a computer.", max_length=120
            ),
            preserve_default=False,
        ),
        # tokens that exist could write
        migrations.AddField(
            model_name="accesstoken", name="can_write", field=models.BooleanField(default=True), preserve_default=False
        ),
        migrations.AlterField(model_name="accesstoken", name="can_write", field=models.BooleanField(default=False)),
        migrations.AddField(
            model_name="accesstoken",
            name="experiments",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), blank=True, null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="accesstoken", name="last_used_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("experiments__isnull", True), models.Q(("experiments", []), _negated=True), _connector="OR"
                ),
                name="access_token_experiments",
            ),
        ),
    ]
