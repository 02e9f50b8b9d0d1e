"""The full record: from donor tissue to the dose in a mouse, and everything observed on that mouse."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import labdb.base.fields

# What Django cannot declare: rows that refer to each other are of one experiment.
SAME_EXPERIMENT = [
    (
        "experiments_arm",
        f"arm_{name}_same_experiment",
        f"{name}_id, experiment_id",
        "experiments_arm (id, experiment_id)",
    )
    for name in ("vehicle_arm", "healthy_arm")
] + [
    (
        "experiments_alert",
        "alert_enrolment_same_experiment",
        "enrolment_id, experiment_id",
        "experiments_enrolment (id, experiment_id)",
    )
]


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0004_locks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AdverseEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("occurred_on", models.DateField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("mild", "Mild"), ("moderate", "Moderate"), ("severe", "Severe"), ("fatal", "Fatal")],
                        max_length=8,
                    ),
                ),
                (
                    "relation",
                    models.CharField(
                        choices=[
                            ("unrelated", "Unrelated"),
                            ("possible", "Possible"),
                            ("probable", "Probable"),
                            ("unknown", "Unknown"),
                        ],
                        default="unknown",
                        max_length=10,
                        verbose_name="related to the treatment",
                    ),
                ),
                ("description", models.CharField(max_length=500)),
                ("action_taken", models.CharField(blank=True, max_length=250)),
                ("resolved_on", models.DateField(blank=True, null=True)),
            ],
            options={
                "ordering": ["enrolment", "occurred_on"],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("welfare", "Welfare"),
                            ("deviation", "Deviation"),
                            ("limit", "outside of a limit"),
                            ("recall", "Recall"),
                            ("licence", "Licence"),
                        ],
                        max_length=10,
                    ),
                ),
                ("message", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")],
                        default="open",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("raised_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("mailed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("resolution", models.CharField(blank=True, editable=False, max_length=500)),
            ],
            options={
                "ordering": ["-raised_at"],
            },
        ),
        migrations.CreateModel(
            name="AnalysisPlan",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("version", models.PositiveSmallIntegerField(default=1)),
                (
                    "scale",
                    models.CharField(
                        choices=[("identity", "as measured"), ("log", "Log"), ("count", "log(x + 1), for counts")],
                        max_length=10,
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("welch", "Welch, unequal variances"),
                            ("student", "equal variances"),
                            ("mixed", "mixed model with litter or cage"),
                            ("rank", "rank test"),
                            ("count", "model for counts"),
                            ("survival", "Survival"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "experimental_unit",
                    models.CharField(
                        choices=[("animal", "Animal"), ("litter", "Litter"), ("cage", "Cage")],
                        default="animal",
                        max_length=8,
                    ),
                ),
                (
                    "multiplicity",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("holm", "Holm"),
                            ("dunnett", "Dunnett"),
                            ("bonferroni", "Bonferroni"),
                            ("hochberg", "Hochberg"),
                            ("fdr", "Benjamini–Hochberg"),
                        ],
                        max_length=10,
                    ),
                ),
                ("alpha", labdb.base.fields.NumericField(default="0.05")),
                (
                    "exclusion_rules",
                    models.TextField(help_text="Which animals and values are left out, said beforehand."),
                ),
                (
                    "missing_data",
                    models.TextField(blank=True, help_text="What is done about missing and censored values."),
                ),
                (
                    "change_note",
                    models.CharField(
                        blank=True, help_text="What is different from the version before, and why.", max_length=500
                    ),
                ),
                ("locked_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["experiment", "-version"],
            },
        ),
        migrations.CreateModel(
            name="ArmProtocol",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "shift_days",
                    models.SmallIntegerField(
                        default=0, help_text="Added to every day of the protocol that counts from day 0."
                    ),
                ),
            ],
            options={
                "ordering": ["arm", "shift_days"],
            },
        ),
        migrations.CreateModel(
            name="CellCount",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField(blank=True, null=True)),
                ("instrument", models.CharField(blank=True, max_length=60)),
                (
                    "sample_name",
                    models.CharField(blank=True, help_text="As the instrument's file names it.", max_length=120),
                ),
                ("total_cells_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                ("viable_cells_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "viability_percent",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="viability, %"),
                ),
                (
                    "volume_ml",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="Of the suspension that was counted.", null=True
                    ),
                ),
                ("dilution", labdb.base.fields.NumericField(blank=True, null=True)),
                ("mean_diameter_um", labdb.base.fields.NumericField(blank=True, null=True)),
                ("source_place", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "ordering": ["passage", "counted_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, verbose_name="consent id")),
                ("version", models.CharField(help_text="Of the form that was signed.", max_length=30)),
                ("scope", models.CharField(help_text="What the cells may be used for.", max_length=250)),
                ("ethics_number", models.CharField(blank=True, max_length=60)),
                ("given_on", models.DateField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawal_note", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["donor", "code"],
            },
        ),
        migrations.CreateModel(
            name="Donor",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="pseudonym")),
                ("species", models.CharField(default="human", max_length=40)),
                (
                    "sex",
                    models.CharField(
                        choices=[("F", "female"), ("M", "male"), ("U", "unknown")], default="U", max_length=1
                    ),
                ),
                ("age_years", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "gestational_weeks",
                    labdb.base.fields.NumericField(blank=True, help_text="Of perinatal tissue.", null=True),
                ),
                (
                    "delivery",
                    models.CharField(
                        blank=True, choices=[("vaginal", "Vaginal"), ("caesarean", "Caesarean")], max_length=10
                    ),
                ),
                (
                    "menstrual_cycle_day",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Of menstrual blood or endometrium.", null=True
                    ),
                ),
                (
                    "serology",
                    models.CharField(
                        choices=[
                            ("not_tested", "Not Tested"),
                            ("negative", "negative for all that was tested"),
                            ("positive", "positive for at least one"),
                        ],
                        default="not_tested",
                        max_length=10,
                        verbose_name="infection serology",
                    ),
                ),
                (
                    "serology_detail",
                    models.CharField(blank=True, help_text="Which tests, with their dates.", max_length=250),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Dose",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("amount", labdb.base.fields.NumericField(help_text="An animal, in the product's dose unit.")),
                (
                    "viability_percent",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="viability at use, %"),
                ),
                ("volume_ul", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="volume, µL")),
                ("vehicle", models.CharField(blank=True, max_length=120)),
                ("route", models.CharField(max_length=40)),
                ("site", models.CharField(blank=True, max_length=40)),
                ("needle", models.CharField(blank=True, help_text="e.g. 30 G", max_length=30)),
                (
                    "passage_number",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="passage at use"),
                ),
                (
                    "weight_g",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="Of the day.", null=True, verbose_name="weight, g"
                    ),
                ),
                (
                    "thaw_to_injection_min",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="thaw to injection, min"),
                ),
                ("co_treatment", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["procedure"],
            },
        ),
        migrations.CreateModel(
            name="DoseLimit",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("species", models.CharField(max_length=40)),
                ("agent", models.CharField(max_length=40)),
                ("unit", models.CharField(default="mg/kg", max_length=20)),
                ("lowest", labdb.base.fields.NumericField()),
                ("highest", labdb.base.fields.NumericField()),
                ("source", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["species", "agent"],
            },
        ),
        migrations.CreateModel(
            name="DoseVial",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "amount",
                    labdb.base.fields.NumericField(help_text="Taken from this vial, in the product's dose unit."),
                ),
            ],
            options={
                "ordering": ["dose", "vial"],
            },
        ),
        migrations.CreateModel(
            name="EligibilityCriterion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("age_days", "age at induction, days"),
                            ("weight_g", "baseline weight, g"),
                            ("acclimatisation_days", "acclimatisation, days"),
                            ("regular_cycles", "regular estrous cycles in 14 days"),
                            ("sex", "Sex"),
                            ("other", "other, judged by a person"),
                        ],
                        max_length=20,
                    ),
                ),
                ("lowest", labdb.base.fields.NumericField(blank=True, null=True)),
                ("highest", labdb.base.fields.NumericField(blank=True, null=True)),
                ("text", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "verbose_name_plural": "eligibility criteria",
                "ordering": ["experiment", "kind"],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("before_allocation", "not eligible, before allocation"),
                            ("after_allocation", "after allocation, before treatment"),
                            ("induction_failure", "induction did not take"),
                            ("during_follow_up", "During Follow Up"),
                            ("analysis", "at analysis"),
                        ],
                        max_length=18,
                    ),
                ),
                ("is_prespecified", models.BooleanField(verbose_name="pre-specified")),
                ("is_decided_blinded", models.BooleanField(verbose_name="decided blinded")),
                ("reason", models.CharField(max_length=500)),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoke_reason", models.CharField(blank=True, editable=False, max_length=500)),
            ],
            options={
                "ordering": ["enrolment", "decided_at"],
            },
        ),
        migrations.CreateModel(
            name="FertilityTrial",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "male_label",
                    models.CharField(blank=True, help_text="Where the male is no animal of the record.", max_length=60),
                ),
                ("paired_on", models.DateField()),
                ("separated_on", models.DateField(blank=True, null=True)),
                ("plug_on", models.DateField(blank=True, null=True, verbose_name="plug seen on")),
                (
                    "is_mated",
                    models.BooleanField(
                        blank=True, help_text="Empty where it is unknown.", null=True, verbose_name="mated"
                    ),
                ),
                (
                    "is_pregnant",
                    models.BooleanField(
                        blank=True, help_text="Empty where it is unknown.", null=True, verbose_name="pregnant"
                    ),
                ),
                ("corpora_lutea", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("implantations", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("live_fetuses", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("dead_fetuses", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("resorptions", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("born_on", models.DateField(blank=True, null=True)),
                ("pups_total", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("pups_male", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("pups_female", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("pups_alive", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["enrolment", "paired_on"],
            },
        ),
        migrations.CreateModel(
            name="IdentityTest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tested_on", models.DateField()),
                (
                    "rule_set",
                    models.CharField(
                        help_text="Whose criteria the verdict follows, with their version.", max_length=40
                    ),
                ),
                (
                    "plastic_adherent",
                    models.CharField(
                        choices=[("yes", "yes"), ("no", "no"), ("not_tested", "not tested")],
                        default="not_tested",
                        max_length=10,
                    ),
                ),
                (
                    "osteogenic",
                    models.CharField(
                        choices=[("yes", "yes"), ("no", "no"), ("not_tested", "not tested")],
                        default="not_tested",
                        max_length=10,
                    ),
                ),
                (
                    "adipogenic",
                    models.CharField(
                        choices=[("yes", "yes"), ("no", "no"), ("not_tested", "not tested")],
                        default="not_tested",
                        max_length=10,
                    ),
                ),
                (
                    "chondrogenic",
                    models.CharField(
                        choices=[("yes", "yes"), ("no", "no"), ("not_tested", "not tested")],
                        default="not_tested",
                        max_length=10,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["batch", "-tested_on"],
            },
        ),
        migrations.CreateModel(
            name="Induction",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("induction_model", models.CharField(default="chemotherapy", max_length=40)),
                ("agent", models.CharField(max_length=40)),
                ("agent_lot", models.CharField(blank=True, max_length=60)),
                ("amount", labdb.base.fields.NumericField(help_text="Each time, in its unit.")),
                ("amount_unit", models.CharField(default="mg/kg", help_text="mg/kg, Gy, µg …", max_length=20)),
                (
                    "weight_g",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="From which the dose was computed.", null=True, verbose_name="weight, g"
                    ),
                ),
                ("concentration_mg_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                ("given_mg", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="given, mg")),
                ("planned_ml", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="planned, mL")),
                ("given_ml", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="given, mL")),
                ("route", models.CharField(max_length=40)),
                ("site", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "ordering": ["procedure"],
            },
        ),
        migrations.CreateModel(
            name="IsolationBatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True)),
                ("cell_type", models.CharField(default="msc", max_length=40)),
                ("method", models.CharField(max_length=40)),
                ("collagenase_mg_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                ("digestion_min", labdb.base.fields.NumericField(blank=True, null=True)),
                ("medium", models.CharField(blank=True, max_length=120)),
                ("supplement", models.CharField(blank=True, max_length=40)),
                ("supplement_percent", labdb.base.fields.NumericField(blank=True, null=True)),
                ("oxygen_percent", labdb.base.fields.NumericField(blank=True, null=True)),
                ("seeding_cells_per_cm2", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "yield_cells",
                    labdb.base.fields.NumericField(blank=True, help_text="Cells.", null=True, verbose_name="yield"),
                ),
                ("isolated_on", models.DateField(verbose_name="P0 date")),
                (
                    "expires_on",
                    models.DateField(
                        blank=True, help_text="Nothing of the batch is dispensed after this day.", null=True
                    ),
                ),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "isolation batch",
                "verbose_name_plural": "isolation batches",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Licence",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=60, unique=True)),
                ("authority", models.CharField(blank=True, max_length=120)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("expires_on", models.DateField()),
                ("animals_allowed", models.PositiveIntegerField()),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("non_recovery", "Non Recovery"),
                            ("mild", "Mild"),
                            ("moderate", "Moderate"),
                            ("severe", "Severe"),
                        ],
                        max_length=12,
                        verbose_name="allowed severity",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="lot")),
                ("made_on", models.DateField()),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("supplier_lot", models.CharField(blank=True, max_length=60)),
                (
                    "source_cells",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="Cells that it was collected from.", null=True
                    ),
                ),
                (
                    "conditioning_h",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="conditioned for, h"),
                ),
                ("collected_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "concentration_fold",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="concentrated, fold"),
                ),
                ("is_serum_free", models.BooleanField(blank=True, null=True)),
                ("gene", models.CharField(blank=True, max_length=60)),
                ("vector", models.CharField(blank=True, max_length=60)),
                ("moi", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="MOI")),
                ("positive_percent", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="positive, %")),
                ("vector_copies_per_cell", labdb.base.fields.NumericField(blank=True, null=True)),
                ("carrier_volume_ul", labdb.base.fields.NumericField(blank=True, null=True)),
                ("cells_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="LotSource",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "amount",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="How much of it was used, in its dose unit or in cells.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["lot", "id"],
            },
        ),
        migrations.CreateModel(
            name="MarkerResult",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("marker", models.CharField(help_text="e.g. CD73, HLA-DR.", max_length=30)),
                (
                    "qualifier",
                    models.CharField(
                        choices=[
                            ("=", "="),
                            (">", ">"),
                            (">=", "≥"),
                            ("<", "<"),
                            ("<=", "≤"),
                            ("+", "+, without a number"),
                            ("-", "−, without a number"),
                            ("not_tested", "not tested"),
                        ],
                        default="=",
                        max_length=10,
                    ),
                ),
                ("percent", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="positive cells, %")),
                ("control", models.CharField(blank=True, help_text="Isotype, FMO or unstained.", max_length=60)),
                ("events", models.PositiveIntegerField(blank=True, null=True)),
                ("is_after_ifn_gamma", models.BooleanField(default=False, verbose_name="after IFN-γ")),
            ],
            options={
                "ordering": ["identity_test", "marker"],
            },
        ),
        migrations.CreateModel(
            name="Medication",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("anaesthesia", "Anaesthesia"),
                            ("analgesia", "Analgesia"),
                            ("antibiotic", "Antibiotic"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("agent", models.CharField(max_length=40)),
                ("amount_mg_per_kg", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="mg/kg")),
                ("route", models.CharField(blank=True, max_length=40)),
                ("due_at", models.DateTimeField(blank=True, help_text="By when it has to be given.", null=True)),
                ("given_at", models.DateTimeField(blank=True, null=True)),
                ("omitted_reason", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["due_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ["-written_at"],
            },
        ),
        migrations.CreateModel(
            name="NoteMention",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["note", "person"],
            },
        ),
        migrations.CreateModel(
            name="Passage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField(help_text="0 is the primary culture.")),
                (
                    "label",
                    models.CharField(blank=True, help_text="Tells apart two flasks of one passage.", max_length=30),
                ),
                ("seeded_at", models.DateTimeField()),
                ("harvested_at", models.DateTimeField(blank=True, null=True)),
                (
                    "seeded_cells",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="Cells.", null=True, verbose_name="seeded, N0"
                    ),
                ),
                (
                    "harvested_cells",
                    labdb.base.fields.NumericField(
                        blank=True, help_text="Cells, dead ones included.", null=True, verbose_name="harvested, Nt"
                    ),
                ),
                ("viable_cells", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "viability_percent",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="viability, %"),
                ),
                ("medium", models.CharField(blank=True, max_length=120)),
                ("note", models.CharField(blank=True, max_length=250)),
            ],
            options={
                "ordering": ["batch", "number", "label"],
            },
        ),
        migrations.CreateModel(
            name="PlannedComparison",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("is_primary", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["plan", "arm"],
            },
        ),
        migrations.CreateModel(
            name="PlannedEndpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                "ordering": ["experiment", "endpoint"],
            },
        ),
        migrations.CreateModel(
            name="PlannedProcedure",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("repeat", models.PositiveSmallIntegerField(default=1, help_text="The first is 1.")),
                ("due_on", models.DateField()),
                ("earliest_on", models.DateField()),
                ("latest_on", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "Planned"), ("done", "Done"), ("cancelled", "Cancelled")],
                        default="planned",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("cancel_reason", models.CharField(blank=True, editable=False, max_length=250)),
            ],
            options={
                "ordering": ["due_on", "enrolment", "step"],
            },
        ),
        migrations.CreateModel(
            name="PoiConfirmation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("confirmed", "Confirmed"),
                            ("not_confirmed", "Not Confirmed"),
                            ("undetermined", "Undetermined"),
                        ],
                        max_length=14,
                    ),
                ),
                ("findings", models.JSONField(help_text="Each criterion with value, threshold and whether it is met.")),
                ("assessed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "POI confirmation",
                "ordering": ["enrolment", "-assessed_at"],
            },
        ),
        migrations.CreateModel(
            name="PoiCriteria",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("version", models.PositiveSmallIntegerField(default=1)),
                (
                    "required",
                    models.PositiveSmallIntegerField(
                        help_text="How many of the criteria must be met.", verbose_name="k"
                    ),
                ),
                ("locked_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "POI criteria",
                "verbose_name_plural": "POI criteria",
                "ordering": ["experiment", "-version"],
            },
        ),
        migrations.CreateModel(
            name="PoiCriterion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("persistent_diestrus_days", "diestrus for at least … days"),
                            ("above_control_sd", "above the control mean by more than … SD"),
                            ("below_control_sd", "below the control mean by more than … SD"),
                            ("loss_percent", "at least … % less than the control mean"),
                        ],
                        max_length=26,
                    ),
                ),
                ("threshold", labdb.base.fields.NumericField(help_text="Days, SD or %, as the rule says.")),
            ],
            options={
                "verbose_name": "POI criterion",
                "verbose_name_plural": "single POI criteria",
                "ordering": ["criteria", "rule", "endpoint"],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("cell_suspension", "Cell Suspension"),
                            ("engineered_cells", "Engineered Cells"),
                            ("vesicles", "extracellular vesicles"),
                            ("conditioned_medium", "Conditioned Medium"),
                            ("vehicle", "vehicle or sham"),
                            ("hormone", "hormone replacement"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "dose_unit",
                    models.CharField(
                        choices=[
                            ("viable cells", "Viable Cells"),
                            ("particles", "Particles"),
                            ("µg protein", "Ug Protein"),
                            ("mL", "Ml"),
                            ("mg", "Mg"),
                        ],
                        help_text="In which its doses are counted.",
                        max_length=14,
                    ),
                ),
                ("tissue_source", models.CharField(blank=True, max_length=40)),
                ("cell_type", models.CharField(blank=True, max_length=40)),
                (
                    "species",
                    models.CharField(
                        blank=True, help_text="Of the cells, or of those that it comes from.", max_length=40
                    ),
                ),
                (
                    "carrier",
                    models.CharField(
                        blank=True,
                        help_text="Scaffold or gel in which it is given: collagen, hyaluronan, GelMA …",
                        max_length=120,
                    ),
                ),
                ("supplier", models.CharField(blank=True, max_length=120)),
                ("description", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Protocol",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120, unique=True)),
                ("description", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ProtocolStep",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("name", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("induction", "Induction"),
                            ("transplantation", "transplantation or treatment"),
                            ("surgery", "Surgery"),
                            ("sampling", "Sampling"),
                            ("measurement", "Measurement"),
                            ("mating", "Mating"),
                            ("euthanasia", "Euthanasia"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                ("relative_day", models.SmallIntegerField(default=0)),
                ("window_before_days", models.PositiveSmallIntegerField(default=0)),
                ("window_after_days", models.PositiveSmallIntegerField(default=0)),
                ("repeats", models.PositiveSmallIntegerField(default=1, verbose_name="times")),
                (
                    "every_days",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Between two repeats.", verbose_name="every, days"
                    ),
                ),
                ("induction_model", models.CharField(blank=True, max_length=40)),
                ("agent", models.CharField(blank=True, help_text="The drug, radiation or antigen.", max_length=40)),
                ("amount", labdb.base.fields.NumericField(blank=True, help_text="Each time.", null=True)),
                (
                    "amount_unit",
                    models.CharField(
                        blank=True, help_text="mg/kg, Gy, µg, viable cells, particles, mL …", max_length=20
                    ),
                ),
                ("concentration_mg_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "volume_ul",
                    labdb.base.fields.NumericField(
                        blank=True,
                        help_text="An animal, or an ovary where both are injected.",
                        null=True,
                        verbose_name="volume, µL",
                    ),
                ),
                ("vehicle", models.CharField(blank=True, max_length=120)),
                ("route", models.CharField(blank=True, max_length=40)),
                ("site", models.CharField(blank=True, max_length=40)),
                ("anaesthesia", models.CharField(blank=True, max_length=40)),
                ("analgesia", models.CharField(blank=True, max_length=40)),
                ("analgesia_every_h", labdb.base.fields.NumericField(blank=True, null=True)),
                ("analgesia_for_h", labdb.base.fields.NumericField(blank=True, null=True)),
                ("instructions", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["version", "position", "relative_day"],
            },
        ),
        migrations.CreateModel(
            name="ProtocolVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="version")),
                (
                    "reference",
                    models.CharField(blank=True, help_text="A publication or SOP that it follows.", max_length=250),
                ),
                (
                    "change_note",
                    models.CharField(
                        blank=True, help_text="What is different from the version before.", max_length=500
                    ),
                ),
                ("issued_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["protocol", "-number"],
            },
        ),
        migrations.CreateModel(
            name="Randomisation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "method",
                    models.CharField(
                        choices=[("simple", "Simple"), ("block", "Block"), ("stratified", "Stratified")], max_length=10
                    ),
                ),
                (
                    "strata",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        help_text="weight, litter, cage",
                        size=None,
                    ),
                ),
                ("algorithm", models.CharField(max_length=60)),
                ("seed", models.CharField(editable=False, max_length=64)),
                ("seed_sha256", models.CharField(editable=False, max_length=64, verbose_name="SHA-256 of the seed")),
                (
                    "inputs",
                    models.JSONField(help_text="Animals, weights, strata, arms and ratios as they went into the draw."),
                ),
                ("balance", models.JSONField(help_text="How alike the arms came out.")),
                ("drawn_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["experiment", "drawn_at"],
            },
        ),
        migrations.CreateModel(
            name="Recall",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=500)),
                ("recalled_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("lifted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("lift_reason", models.CharField(blank=True, editable=False, max_length=500)),
            ],
            options={
                "ordering": ["-recalled_at"],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "decision",
                    models.CharField(choices=[("released", "Released"), ("rejected", "Rejected")], max_length=8),
                ),
                ("statement", models.CharField(help_text="On what the decision rests.", max_length=500)),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("is_self_released", models.BooleanField(default=False, editable=False, verbose_name="self-released")),
            ],
            options={
                "ordering": ["-decided_at"],
            },
        ),
        migrations.CreateModel(
            name="SafetyTest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sterility", "Sterility"),
                            ("mycoplasma", "Mycoplasma"),
                            ("karyotype", "Karyotype"),
                            ("str", "STR profile"),
                            ("endotoxin", "Endotoxin"),
                            ("virus", "adventitious virus"),
                            ("tumourigenicity", "Tumourigenicity"),
                        ],
                        max_length=16,
                    ),
                ),
                ("tested_on", models.DateField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("pending", "Pending"), ("passed", "Passed"), ("failed", "Failed")],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("method", models.CharField(blank=True, max_length=120)),
                (
                    "metaphases",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Counted for a karyotype, at least 20.", null=True
                    ),
                ),
                (
                    "endotoxin_eu_per_ml",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="endotoxin, EU/mL"),
                ),
                (
                    "detail",
                    models.CharField(blank=True, help_text="e.g. 46,XX; the STR profile's match.", max_length=250),
                ),
            ],
            options={
                "ordering": ["kind", "tested_on"],
            },
        ),
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("made", "Made"),
                            ("received", "Received"),
                            ("dispensed", "dispensed for a dose"),
                            ("consumed", "consumed in making another lot"),
                            ("discarded", "Discarded"),
                            ("moved_in", "moved in from another vial"),
                            ("moved_out", "moved out into another vial"),
                            ("corrected", "corrected after counting"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "amount",
                    labdb.base.fields.NumericField(help_text="In the product's dose unit; below 0 where it left."),
                ),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ["moved_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="StockUse",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                "ordering": ["experiment", "id"],
            },
        ),
        migrations.CreateModel(
            name="StorageBox",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("location", models.CharField(help_text="Freezer or tank, rack.", max_length=120)),
                ("rows", models.PositiveSmallIntegerField(default=9)),
                ("columns", models.PositiveSmallIntegerField(default=9)),
            ],
            options={
                "verbose_name": "storage box",
                "verbose_name_plural": "storage boxes",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "vocabulary",
                    models.CharField(
                        choices=[
                            ("species", "species"),
                            ("tissue_source", "tissue source"),
                            ("cell_type", "cell type"),
                            ("isolation_method", "isolation method"),
                            ("serum_supplement", "serum supplement"),
                            ("route", "route"),
                            ("site", "site"),
                            ("induction_model", "induction model"),
                            ("agent", "agent"),
                            ("cryoprotectant", "cryoprotectant"),
                            ("organ", "organ"),
                            ("adverse_event", "adverse event"),
                        ],
                        max_length=30,
                        verbose_name="list",
                    ),
                ),
                (
                    "key",
                    models.SlugField(
                        help_text="As it is stored and given over REST: small letters, digits, _ and -.", max_length=40
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("code", models.CharField(blank=True, help_text="Ontology code, e.g. CL:0000134.", max_length=40)),
                ("is_retired", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["vocabulary", "name"],
            },
        ),
        migrations.CreateModel(
            name="TissueSample",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True)),
                ("source", models.CharField(max_length=40)),
                (
                    "placental_part",
                    models.CharField(blank=True, choices=[("fetal", "Fetal"), ("maternal", "Maternal")], max_length=8),
                ),
                ("collected_at", models.DateTimeField(blank=True, null=True)),
                ("amount_g", labdb.base.fields.NumericField(blank=True, null=True)),
                ("amount_ml", labdb.base.fields.NumericField(blank=True, null=True)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Tumour",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("organ", models.CharField(max_length=40)),
                ("found_on", models.DateField()),
                ("size_mm", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="size, mm")),
                ("histology", models.CharField(blank=True, max_length=250)),
                (
                    "is_of_donor_cells",
                    models.BooleanField(
                        blank=True,
                        help_text="Empty where it was not tested.",
                        null=True,
                        verbose_name="of the given cells",
                    ),
                ),
            ],
            options={
                "ordering": ["enrolment", "found_on"],
            },
        ),
        migrations.CreateModel(
            name="VesicleCharacterisation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("source_cells", labdb.base.fields.NumericField(blank=True, null=True)),
                ("source_ml", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="source volume, mL")),
                ("particles_per_ml", labdb.base.fields.NumericField(blank=True, null=True)),
                (
                    "protein_ug_per_ml",
                    labdb.base.fields.NumericField(blank=True, null=True, verbose_name="protein, µg/mL"),
                ),
                ("lipid_ug_per_ml", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="lipid, µg/mL")),
                (
                    "transmembrane_markers",
                    models.CharField(help_text="At least one found, e.g. CD63, CD81.", max_length=120),
                ),
                (
                    "cytosolic_markers",
                    models.CharField(help_text="At least one found, e.g. TSG101, ALIX.", max_length=120),
                ),
                (
                    "contaminant_marker",
                    models.CharField(help_text="What was looked for and not found, e.g. calnexin.", max_length=120),
                ),
                ("imaging_method", models.CharField(help_text="e.g. TEM.", max_length=60)),
                ("single_particle_method", models.CharField(help_text="e.g. NTA.", max_length=60)),
                ("mode_diameter_nm", labdb.base.fields.NumericField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "vesicle characterisation",
                "ordering": ["lot"],
            },
        ),
        migrations.CreateModel(
            name="Vial",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(
                        help_text="As its barcode reads.", max_length=60, unique=True, verbose_name="vial"
                    ),
                ),
                (
                    "amount",
                    labdb.base.fields.NumericField(help_text="What it held at first, in the product's dose unit."),
                ),
                ("amount_left", labdb.base.fields.NumericField(editable=False)),
                ("volume_ul", labdb.base.fields.NumericField(blank=True, null=True, verbose_name="volume, µL")),
                ("cryoprotectant", models.CharField(blank=True, max_length=40)),
                ("frozen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("stored", "Stored"),
                            ("thawed", "thawed or opened"),
                            ("used", "used up"),
                            ("discarded", "Discarded"),
                        ],
                        default="stored",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "thawed_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="thawed or opened at"),
                ),
                (
                    "post_thaw_viability_percent",
                    labdb.base.fields.NumericField(
                        blank=True, editable=False, null=True, verbose_name="post-thaw viability, %"
                    ),
                ),
                ("row", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("column", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
            options={
                "ordering": ["lot", "code"],
            },
        ),
        migrations.CreateModel(
            name="WelfareRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("weight_loss_percent", "loss of body weight, %"), ("welfare_score", "welfare score")],
                        max_length=20,
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        choices=[
                            ("day_0", "weight of day 0"),
                            ("before_induction", "last weight before the induction"),
                            ("peak", "highest weight so far"),
                            ("baseline", "mean before day 0"),
                        ],
                        default="day_0",
                        help_text="Of a loss of weight.",
                        max_length=16,
                    ),
                ),
                ("threshold", labdb.base.fields.NumericField(help_text="From this loss in %, or this score, on.")),
                (
                    "from_day",
                    models.SmallIntegerField(
                        blank=True, help_text="First study day on which it holds; empty: from the first.", null=True
                    ),
                ),
                (
                    "to_day",
                    models.SmallIntegerField(blank=True, help_text="Last study day; empty: to the last.", null=True),
                ),
                ("is_humane_endpoint", models.BooleanField(default=False, verbose_name="humane endpoint")),
                ("action", models.CharField(help_text="What has to be done.", max_length=250)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["experiment", "kind", "threshold"],
            },
        ),
        migrations.AddField(
            model_name="allocation",
            name="block",
            field=models.PositiveSmallIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="allocation",
            name="stratum",
            field=models.CharField(blank=True, editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name="animal",
            name="arrived_on",
            field=models.DateField(blank=True, help_text="Acclimatisation counts from this day.", null=True),
        ),
        migrations.AddField(
            model_name="animal",
            name="ear_tag",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddField(
            model_name="animal",
            name="genotype",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="animal",
            name="supplier",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="animal",
            name="transponder",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddField(
            model_name="arm",
            name="healthy_arm",
            field=models.ForeignKey(
                blank=True,
                help_text="The healthy reference.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="diseased_arms",
                to="experiments.arm",
            ),
        ),
        migrations.AddField(
            model_name="arm",
            name="sample_size_basis",
            field=models.CharField(blank=True, help_text="On what the planned n rests.", max_length=250),
        ),
        migrations.AddField(
            model_name="arm",
            name="vehicle_arm",
            field=models.ForeignKey(
                blank=True,
                help_text="The arm that gets the vehicle by the same route.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="treated_arms",
                to="experiments.arm",
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="actual_severity",
            field=models.CharField(
                blank=True,
                choices=[
                    ("non_recovery", "Non Recovery"),
                    ("mild", "Mild"),
                    ("moderate", "Moderate"),
                    ("severe", "Severe"),
                ],
                help_text="What the animal really experienced, told when its part has ended.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="ethics_number",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="experiment",
            name="follow_up_days",
            field=models.PositiveSmallIntegerField(blank=True, help_text="After the last treatment.", null=True),
        ),
        migrations.AddField(
            model_name="experiment",
            name="provenance",
            field=models.CharField(
                choices=[("own", "the laboratory's own"), ("registered", "a published study")],
                default="own",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="reference",
            field=models.CharField(
                blank=True,
                help_text="DOI or citation of a published study.",
                max_length=250,
                verbose_name="publication",
            ),
        ),
        migrations.AddField(
            model_name="procedure",
            name="deviation",
            field=models.TextField(
                blank=True, help_text="In what it differs from the plan or lies outside of a limit."
            ),
        ),
        migrations.AddField(
            model_name="procedure",
            name="deviation_reason",
            field=models.CharField(blank=True, help_text="Why.", max_length=500),
        ),
        migrations.AddField(
            model_name="procedure",
            name="kind",
            field=models.CharField(
                choices=[
                    ("induction", "Induction"),
                    ("transplantation", "transplantation or treatment"),
                    ("surgery", "Surgery"),
                    ("sampling", "Sampling"),
                    ("measurement", "Measurement"),
                    ("mating", "Mating"),
                    ("euthanasia", "Euthanasia"),
                    ("other", "Other"),
                ],
                default="other",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="procedure",
            name="performed_at",
            field=models.DateTimeField(blank=True, help_text="The instant, where it is known.", null=True),
        ),
        migrations.AddField(
            model_name="procedure",
            name="performed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="specimen",
            name="cycle_stage",
            field=models.CharField(
                blank=True,
                choices=[("P", "proestrus"), ("E", "estrus"), ("M", "metestrus"), ("D", "diestrus")],
                max_length=1,
                verbose_name="cycle stage at sampling",
            ),
        ),
        migrations.AddField(
            model_name="specimen",
            name="freeze_thaws",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="freeze–thaw cycles"),
        ),
        migrations.AddField(
            model_name="specimen",
            name="freezer_place",
            field=models.CharField(blank=True, help_text="Freezer, box and position.", max_length=60),
        ),
        migrations.AddField(
            model_name="specimen",
            name="organ",
            field=models.CharField(blank=True, help_text="Of tissue.", max_length=40),
        ),
        migrations.AddField(
            model_name="specimen",
            name="volume_ul",
            field=labdb.base.fields.NumericField(blank=True, null=True, verbose_name="volume, µL"),
        ),
        migrations.AlterField(
            model_name="procedure",
            name="description",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AlterField(
            model_name="strain",
            name="species",
            field=models.CharField(default="mouse", max_length=40),
        ),
        migrations.AddConstraint(
            model_name="animal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("transponder", ""), _negated=True),
                fields=("transponder",),
                name="animal_transponder_once",
                violation_error_message="Another animal carries this transponder.",
            ),
        ),
        migrations.AddConstraint(
            model_name="animal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("arrived_on", None), ("born_on", None), ("arrived_on__gte", models.F("born_on")), _connector="OR"
                ),
                name="animal_arrived_after_birth",
            ),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.CheckConstraint(
                condition=models.Q(("vehicle_arm", models.F("id")), _negated=True), name="arm_not_own_vehicle_arm"
            ),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.CheckConstraint(
                condition=models.Q(("healthy_arm", models.F("id")), _negated=True), name="arm_not_own_healthy_arm"
            ),
        ),
        migrations.AddConstraint(
            model_name="specimen",
            constraint=models.CheckConstraint(
                condition=models.Q(("volume_ul", None), ("volume_ul__gt", 0), _connector="OR"),
                name="specimen_volume_ul",
            ),
        ),
        migrations.AddField(
            model_name="adverseevent",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="adverse_events", to="experiments.enrolment"
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="enrolment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="experiments.enrolment",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="experiments.experiment"
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="observation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="experiments.observation",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="procedure",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="experiments.procedure",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="resolved_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="analysisplan",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="analysis_plans", to="experiments.experiment"
            ),
        ),
        migrations.AddField(
            model_name="analysisplan",
            name="locked_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="analysisplan",
            name="primary_endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="experiments.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="analysisplan",
            name="primary_timepoint",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.timepoint",
            ),
        ),
        migrations.AddField(
            model_name="armprotocol",
            name="arm",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="protocols", to="experiments.arm"
            ),
        ),
        migrations.AddField(
            model_name="cellcount",
            name="recorded_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="cellcount",
            name="source_file",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.sourcefile",
            ),
        ),
        migrations.AddField(
            model_name="donor",
            name="strain",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="donors",
                to="experiments.strain",
            ),
        ),
        migrations.AddField(
            model_name="consent",
            name="donor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="consents", to="experiments.donor"
            ),
        ),
        migrations.AddField(
            model_name="dose",
            name="procedure",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="dose", to="experiments.procedure"
            ),
        ),
        migrations.AddConstraint(
            model_name="doselimit",
            constraint=models.UniqueConstraint(
                fields=("species", "agent", "unit"),
                name="dose_limit_once",
                violation_error_message="There is already a limit for this agent and species.",
            ),
        ),
        migrations.AddConstraint(
            model_name="doselimit",
            constraint=models.CheckConstraint(
                condition=models.Q(("highest__gt", models.F("lowest")), ("lowest__gte", 0)), name="dose_limit_range"
            ),
        ),
        migrations.AddField(
            model_name="dosevial",
            name="dose",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="vials", to="experiments.dose"
            ),
        ),
        migrations.AddField(
            model_name="eligibilitycriterion",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="eligibility_criteria",
                to="experiments.experiment",
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="decided_by",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="endpoint",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: from everything.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.endpoint",
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="exclusions", to="experiments.enrolment"
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="revoked_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="fertilitytrial",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="fertility_trials", to="experiments.enrolment"
            ),
        ),
        migrations.AddField(
            model_name="fertilitytrial",
            name="litter",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trial",
                to="experiments.litter",
            ),
        ),
        migrations.AddField(
            model_name="fertilitytrial",
            name="male",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sired_trials",
                to="experiments.animal",
            ),
        ),
        migrations.AddField(
            model_name="induction",
            name="procedure",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="induction", to="experiments.procedure"
            ),
        ),
        migrations.AddField(
            model_name="isolationbatch",
            name="operator",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="identitytest",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="identity_tests",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddConstraint(
            model_name="licence",
            constraint=models.CheckConstraint(
                condition=models.Q(("number", ""), _negated=True), name="licence_number_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="licence",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on", None), ("expires_on__gt", models.F("starts_on")), _connector="OR"),
                name="licence_expires_after_start",
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="licence",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="experiments",
                to="experiments.licence",
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(("provenance", "own"), models.Q(("reference", ""), _negated=True), _connector="OR"),
                name="experiment_reference_of_registered",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="lotsource",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="sources", to="experiments.lot"
            ),
        ),
        migrations.AddField(
            model_name="lotsource",
            name="source_lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="derived",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="markerresult",
            name="identity_test",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="markers", to="experiments.identitytest"
            ),
        ),
        migrations.AddField(
            model_name="medication",
            name="given_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="medication",
            name="procedure",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="medications", to="experiments.procedure"
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="animal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="experiments.animal",
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="author",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="experiment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="experiments.experiment",
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="procedure",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="experiments.procedure",
            ),
        ),
        migrations.AddField(
            model_name="notemention",
            name="note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="mentions", to="experiments.note"
            ),
        ),
        migrations.AddField(
            model_name="notemention",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="mentions", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="passage",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="passages", to="experiments.isolationbatch"
            ),
        ),
        migrations.AddField(
            model_name="passage",
            name="previous",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="following",
                to="experiments.passage",
            ),
        ),
        migrations.AddField(
            model_name="lotsource",
            name="source_passage",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="derived",
                to="experiments.passage",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="passage",
            field=models.ForeignKey(
                blank=True,
                help_text="Of a cell suspension: what was harvested.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="experiments.passage",
            ),
        ),
        migrations.AddField(
            model_name="identitytest",
            name="passage",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="identity_tests",
                to="experiments.passage",
            ),
        ),
        migrations.AddField(
            model_name="cellcount",
            name="passage",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="counts", to="experiments.passage"
            ),
        ),
        migrations.AddField(
            model_name="plannedcomparison",
            name="arm",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="experiments.arm"
            ),
        ),
        migrations.AddField(
            model_name="plannedcomparison",
            name="endpoint",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: the primary one.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.endpoint",
            ),
        ),
        migrations.AddField(
            model_name="plannedcomparison",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="comparisons", to="experiments.analysisplan"
            ),
        ),
        migrations.AddField(
            model_name="plannedcomparison",
            name="reference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="experiments.arm"
            ),
        ),
        migrations.AddField(
            model_name="plannedendpoint",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="experiments.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="plannedendpoint",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="planned_endpoints",
                to="experiments.experiment",
            ),
        ),
        migrations.AddField(
            model_name="plannedendpoint",
            name="timepoint",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.timepoint",
            ),
        ),
        migrations.AddField(
            model_name="plannedprocedure",
            name="assigned_to",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assigned_procedures",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="plannedprocedure",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="planned_procedures",
                to="experiments.enrolment",
            ),
        ),
        migrations.AddField(
            model_name="procedure",
            name="planned",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="procedure",
                to="experiments.plannedprocedure",
            ),
        ),
        migrations.AddConstraint(
            model_name="procedure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deviation", ""), models.Q(("deviation_reason", ""), _negated=True), _connector="OR"
                ),
                name="procedure_deviation_reason",
            ),
        ),
        migrations.AddField(
            model_name="poiconfirmation",
            name="assessed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="poiconfirmation",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="poi_confirmations",
                to="experiments.enrolment",
            ),
        ),
        migrations.AddField(
            model_name="poicriteria",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="poi_criteria", to="experiments.experiment"
            ),
        ),
        migrations.AddField(
            model_name="poicriteria",
            name="locked_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="poiconfirmation",
            name="criteria",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="confirmations", to="experiments.poicriteria"
            ),
        ),
        migrations.AddField(
            model_name="poicriterion",
            name="criteria",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="criteria", to="experiments.poicriteria"
            ),
        ),
        migrations.AddField(
            model_name="poicriterion",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="experiments.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="poicriterion",
            name="timepoint",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.timepoint",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="strain",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.strain",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="experiments.product"
            ),
        ),
        migrations.AddField(
            model_name="dose",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="doses", to="experiments.product"
            ),
        ),
        migrations.AddConstraint(
            model_name="protocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="protocol_name_not_blank"
            ),
        ),
        migrations.AddField(
            model_name="protocolstep",
            name="after",
            field=models.ForeignKey(
                blank=True,
                help_text="Days count from the last repeat of this step; empty: from day 0.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followers",
                to="experiments.protocolstep",
            ),
        ),
        migrations.AddField(
            model_name="protocolstep",
            name="product",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="experiments.product",
            ),
        ),
        migrations.AddField(
            model_name="plannedprocedure",
            name="step",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="planned", to="experiments.protocolstep"
            ),
        ),
        migrations.AddField(
            model_name="protocolversion",
            name="issued_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="protocolversion",
            name="protocol",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="experiments.protocol"
            ),
        ),
        migrations.AddField(
            model_name="protocolstep",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="experiments.protocolversion"
            ),
        ),
        migrations.AddField(
            model_name="armprotocol",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="arms", to="experiments.protocolversion"
            ),
        ),
        migrations.AddField(
            model_name="randomisation",
            name="drawn_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="randomisation",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="randomisations", to="experiments.experiment"
            ),
        ),
        migrations.AddField(
            model_name="allocation",
            name="randomisation",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocations",
                to="experiments.randomisation",
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recalls",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="lifted_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recalls",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="recalled_by",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="releases",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="decided_by",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="release",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="releases",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="safetytest",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="safety_tests",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddField(
            model_name="safetytest",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="safety_tests",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="counterpart",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="experiments.stockmovement",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="dose",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movements",
                to="experiments.dose",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="experiment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stock_movements",
                to="experiments.experiment",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="made_lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="consumption",
                to="experiments.lot",
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="moved_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="stockuse",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uses",
                to="experiments.isolationbatch",
            ),
        ),
        migrations.AddField(
            model_name="stockuse",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="stock_uses", to="experiments.experiment"
            ),
        ),
        migrations.AddField(
            model_name="stockuse",
            name="lot",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uses",
                to="experiments.lot",
            ),
        ),
        migrations.AddConstraint(
            model_name="storagebox",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="storage_box_name_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="storagebox",
            constraint=models.CheckConstraint(
                condition=models.Q(("rows__gte", 1), ("rows__lte", 26)), name="storage_box_rows"
            ),
        ),
        migrations.AddConstraint(
            model_name="storagebox",
            constraint=models.CheckConstraint(
                condition=models.Q(("columns__gte", 1), ("columns__lte", 48)), name="storage_box_columns"
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.UniqueConstraint(
                fields=("vocabulary", "key"),
                name="term_once",
                violation_error_message="The list already has this word.",
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(condition=models.Q(("key__regex", "^[a-z0-9_-]+$")), name="term_key"),
        ),
        migrations.AddField(
            model_name="tissuesample",
            name="consent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tissue_samples",
                to="experiments.consent",
            ),
        ),
        migrations.AddField(
            model_name="tissuesample",
            name="donor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="tissue_samples", to="experiments.donor"
            ),
        ),
        migrations.AddField(
            model_name="isolationbatch",
            name="tissue_sample",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="experiments.tissuesample"
            ),
        ),
        migrations.AddField(
            model_name="tumour",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="tumours", to="experiments.enrolment"
            ),
        ),
        migrations.AddField(
            model_name="vesiclecharacterisation",
            name="lot",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="vesicles", to="experiments.lot"
            ),
        ),
        migrations.AddField(
            model_name="vial",
            name="box",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vials",
                to="experiments.storagebox",
            ),
        ),
        migrations.AddField(
            model_name="vial",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="vials", to="experiments.lot"
            ),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="vial",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="experiments.vial"
            ),
        ),
        migrations.AddField(
            model_name="dosevial",
            name="vial",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="doses", to="experiments.vial"
            ),
        ),
        migrations.AddField(
            model_name="welfarerule",
            name="experiment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="welfare_rules",
                to="experiments.experiment",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="rule",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="experiments.welfarerule",
            ),
        ),
        migrations.AddConstraint(
            model_name="adverseevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("description", ""), _negated=True), name="adverse_event_description_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="adverseevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_on", None), ("resolved_on__gte", models.F("occurred_on")), _connector="OR"
                ),
                name="adverse_event_resolved",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisplan",
            constraint=models.UniqueConstraint(
                fields=("experiment", "version"),
                name="analysis_plan_once",
                violation_error_message="The experiment already has this version of its plan.",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisplan",
            constraint=models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="analysis_plan_version"),
        ),
        migrations.AddConstraint(
            model_name="analysisplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("alpha__gt", 0), ("alpha__lt", 1)), name="analysis_plan_alpha"
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("version", 1), models.Q(("change_note", ""), _negated=True), _connector="OR"),
                name="analysis_plan_change_note",
            ),
        ),
        migrations.AddConstraint(
            model_name="donor",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="donor_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="donor",
            constraint=models.CheckConstraint(
                condition=models.Q(("age_years", None), ("age_years__gte", 0), _connector="OR"), name="donor_age"
            ),
        ),
        migrations.AddConstraint(
            model_name="donor",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("gestational_weeks", None),
                    models.Q(("gestational_weeks__gt", 0), ("gestational_weeks__lt", 46)),
                    _connector="OR",
                ),
                name="donor_gestational_weeks",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                fields=("code", "version"),
                name="consent_once",
                violation_error_message="This version of the consent is already recorded.",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="consent_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="eligibilitycriterion",
            constraint=models.UniqueConstraint(
                fields=("experiment", "kind", "text"),
                name="eligibility_criterion_once",
                violation_error_message="The experiment already has this criterion.",
            ),
        ),
        migrations.AddConstraint(
            model_name="eligibilitycriterion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lowest", None), ("highest", None), ("highest__gte", models.F("lowest")), _connector="OR"
                ),
                name="eligibility_criterion_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="exclusion",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="exclusion_reason_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="exclusion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)),
                fields=("enrolment", "endpoint"),
                name="exclusion_once",
                nulls_distinct=False,
                violation_error_message="The animal is already excluded from this.",
            ),
        ),
        migrations.AddConstraint(
            model_name="exclusion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoke_reason", ""), ("revoked_at", None), ("revoked_by", None)),
                    models.Q(
                        ("revoked_at__isnull", False),
                        ("revoked_by__isnull", False),
                        models.Q(("revoke_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="exclusion_revoked_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.UniqueConstraint(
                fields=("enrolment", "paired_on"),
                name="fertility_trial_once",
                violation_error_message="A trial of this female that began on this day is already recorded.",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("separated_on", None), ("separated_on__gte", models.F("paired_on")), _connector="OR"
                ),
                name="fertility_trial_separated",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(("plug_on", None), ("plug_on__gte", models.F("paired_on")), _connector="OR"),
                name="fertility_trial_plug",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(("plug_on", None), ("is_mated", True), _connector="OR"),
                name="fertility_trial_plug_mated",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(("born_on", None), ("born_on__gt", models.F("paired_on")), _connector="OR"),
                name="fertility_trial_born",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_pregnant", True), _negated=True),
                    ("is_mated", None),
                    ("is_mated", True),
                    _connector="OR",
                ),
                name="fertility_trial_pregnant_mated",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_pregnant", True),
                    models.Q(
                        ("born_on", None),
                        ("litter", None),
                        ("pups_alive", None),
                        ("pups_female", None),
                        ("pups_male", None),
                        ("pups_total", None),
                    ),
                    _connector="OR",
                ),
                name="fertility_trial_litter_of_pregnant",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("implantations", None),
                    ("corpora_lutea", None),
                    ("implantations__lte", models.F("corpora_lutea")),
                    _connector="OR",
                ),
                name="fertility_trial_implantations",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("implantations", None),
                    ("live_fetuses", None),
                    ("dead_fetuses", None),
                    ("resorptions", None),
                    (
                        "implantations__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("live_fetuses"), "+", models.F("dead_fetuses")
                            ),
                            "+",
                            models.F("resorptions"),
                        ),
                    ),
                    _connector="OR",
                ),
                name="fertility_trial_fetuses",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pups_total", None),
                    ("pups_male", None),
                    ("pups_female", None),
                    (
                        "pups_total",
                        django.db.models.expressions.CombinedExpression(
                            models.F("pups_male"), "+", models.F("pups_female")
                        ),
                    ),
                    _connector="OR",
                ),
                name="fertility_trial_pups",
            ),
        ),
        migrations.AddConstraint(
            model_name="fertilitytrial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pups_alive", None),
                    models.Q(("pups_alive__lte", models.F("pups_total")), ("pups_total__isnull", False)),
                    _connector="OR",
                ),
                name="fertility_trial_pups_alive",
            ),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="induction_amount"),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight_g", None), ("weight_g__gt", 0), _connector="OR"), name="induction_weight_g"
            ),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concentration_mg_per_ml", None), ("concentration_mg_per_ml__gt", 0), _connector="OR"
                ),
                name="induction_concentration_mg_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(
                condition=models.Q(("given_mg", None), ("given_mg__gt", 0), _connector="OR"), name="induction_given_mg"
            ),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(
                condition=models.Q(("planned_ml", None), ("planned_ml__gt", 0), _connector="OR"),
                name="induction_planned_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="induction",
            constraint=models.CheckConstraint(
                condition=models.Q(("given_ml", None), ("given_ml__gt", 0), _connector="OR"), name="induction_given_ml"
            ),
        ),
        migrations.AddConstraint(
            model_name="markerresult",
            constraint=models.UniqueConstraint(
                fields=("identity_test", "marker", "is_after_ifn_gamma"),
                name="marker_result_once",
                violation_error_message="The test already has this marker.",
            ),
        ),
        migrations.AddConstraint(
            model_name="markerresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("marker", ""), _negated=True), name="marker_result_marker_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="markerresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("percent", None), ("qualifier__in", ["+", "-", "not_tested"])),
                    models.Q(
                        ("percent__gte", 0), ("percent__lte", 100), ("qualifier__in", ["=", ">", ">=", "<", "<="])
                    ),
                    _connector="OR",
                ),
                name="marker_result_percent",
            ),
        ),
        migrations.AddIndex(
            model_name="medication",
            index=models.Index(
                condition=models.Q(("given_at", None), ("omitted_reason", "")),
                fields=["due_at"],
                name="medication_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_mg_per_kg", None), ("amount_mg_per_kg__gt", 0), _connector="OR"),
                name="medication_amount_mg_per_kg",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("given_at__isnull", False),
                    ("due_at__isnull", False),
                    models.Q(("omitted_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="medication_given_or_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="medication",
            constraint=models.CheckConstraint(
                condition=models.Q(("given_at", None), ("omitted_reason", ""), _connector="OR"),
                name="medication_given_or_omitted",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="note_text_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("experiment__isnull", False),
                    models.Q(
                        ("animal", None),
                        ("procedure", None),
                        models.Q(("batch__isnull", False), ("lot__isnull", False), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="note_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="notemention",
            constraint=models.UniqueConstraint(
                fields=("note", "person"),
                name="note_mention_once",
                violation_error_message="The note already calls on this person.",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.UniqueConstraint(
                fields=("batch", "number", "label"),
                name="passage_once",
                violation_error_message="The batch already has this passage; a second flask needs a label of its own.",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("harvested_at", None), ("harvested_at__gt", models.F("seeded_at")), _connector="OR"
                ),
                name="passage_harvested_after_seeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(("seeded_cells", None), ("seeded_cells__gt", 0), _connector="OR"),
                name="passage_seeded_cells",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(("harvested_cells", None), ("harvested_cells__gte", 0), _connector="OR"),
                name="passage_harvested_cells",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viable_cells", None),
                    models.Q(
                        ("viable_cells__gte", 0),
                        models.Q(
                            ("harvested_cells", None),
                            ("viable_cells__lte", models.F("harvested_cells")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="passage_viable_cells",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viability_percent", None),
                    models.Q(("viability_percent__gte", 0), ("viability_percent__lte", 100)),
                    _connector="OR",
                ),
                name="passage_viability_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="passage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viability_percent", None),
                    ("viable_cells", None),
                    ("harvested_cells", None),
                    ("harvested_cells", 0),
                    models.Q(
                        (
                            "viable_cells__gte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("viability_percent"), "-", models.Value(1)
                                    ),
                                    "*",
                                    models.F("harvested_cells"),
                                ),
                                "/",
                                models.Value(100),
                            ),
                        ),
                        (
                            "viable_cells__lte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("viability_percent"), "+", models.Value(1)
                                    ),
                                    "*",
                                    models.F("harvested_cells"),
                                ),
                                "/",
                                models.Value(100),
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="passage_viability_agrees",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotsource",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("source_lot", None), ("source_passage__isnull", False)),
                    models.Q(("source_lot__isnull", False), ("source_passage", None)),
                    _connector="OR",
                ),
                name="lot_source_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("source_lot", models.F("lot")), _negated=True), name="lot_source_not_itself"
            ),
        ),
        migrations.AddConstraint(
            model_name="lotsource",
            constraint=models.UniqueConstraint(
                fields=("lot", "source_lot", "source_passage"),
                name="lot_source_once",
                nulls_distinct=False,
                violation_error_message="This source is already named.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cellcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("total_cells_per_ml", None), ("total_cells_per_ml__gte", 0), _connector="OR"),
                name="cell_count_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="cellcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viable_cells_per_ml", None),
                    models.Q(
                        ("viable_cells_per_ml__gte", 0),
                        models.Q(
                            ("total_cells_per_ml", None),
                            ("viable_cells_per_ml__lte", models.F("total_cells_per_ml")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="cell_count_viable",
            ),
        ),
        migrations.AddConstraint(
            model_name="cellcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viability_percent", None),
                    models.Q(("viability_percent__gte", 0), ("viability_percent__lte", 100)),
                    _connector="OR",
                ),
                name="cell_count_viability",
            ),
        ),
        migrations.AddConstraint(
            model_name="cellcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("volume_ml", None), ("volume_ml__gt", 0), _connector="OR"), name="cell_count_volume"
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedcomparison",
            constraint=models.UniqueConstraint(
                fields=("plan", "arm", "reference", "endpoint"),
                name="planned_comparison_once",
                nulls_distinct=False,
                violation_error_message="The plan already makes this comparison.",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedcomparison",
            constraint=models.CheckConstraint(
                condition=models.Q(("arm", models.F("reference")), _negated=True), name="planned_comparison_two_arms"
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedendpoint",
            constraint=models.UniqueConstraint(
                fields=("experiment", "endpoint", "timepoint"),
                name="planned_endpoint_once",
                nulls_distinct=False,
                violation_error_message="This is already planned.",
            ),
        ),
        migrations.AddConstraint(
            model_name="poicriteria",
            constraint=models.UniqueConstraint(
                fields=("experiment", "version"),
                name="poi_criteria_once",
                violation_error_message="The experiment already has this version of its criteria.",
            ),
        ),
        migrations.AddConstraint(
            model_name="poicriteria",
            constraint=models.CheckConstraint(condition=models.Q(("required__gte", 1)), name="poi_criteria_required"),
        ),
        migrations.AddConstraint(
            model_name="poicriterion",
            constraint=models.UniqueConstraint(
                fields=("criteria", "rule", "endpoint", "timepoint"),
                name="poi_criterion_once",
                nulls_distinct=False,
                violation_error_message="This criterion is already there.",
            ),
        ),
        migrations.AddConstraint(
            model_name="poicriterion",
            constraint=models.CheckConstraint(condition=models.Q(("threshold__gt", 0)), name="poi_criterion_threshold"),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="product_name_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("kind__in", ("cell_suspension", "engineered_cells")), _negated=True),
                        models.Q(("dose_unit", "viable cells"), _negated=True),
                    ),
                    models.Q(("dose_unit", "viable cells"), ("kind__in", ("cell_suspension", "engineered_cells"))),
                    _connector="OR",
                ),
                name="product_dose_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="lot_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_on", None), ("expires_on__gte", models.F("made_on")), _connector="OR"),
                name="lot_expires_after_made",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("positive_percent", None),
                    models.Q(("positive_percent__gte", 0), ("positive_percent__lte", 100)),
                    _connector="OR",
                ),
                name="lot_positive_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("source_cells", None), ("source_cells__gt", 0), _connector="OR"),
                name="lot_source_cells",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("conditioning_h", None), ("conditioning_h__gt", 0), _connector="OR"),
                name="lot_conditioning_h",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("collected_ml", None), ("collected_ml__gt", 0), _connector="OR"),
                name="lot_collected_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("concentration_fold", None), ("concentration_fold__gt", 0), _connector="OR"),
                name="lot_concentration_fold",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("moi", None), ("moi__gt", 0), _connector="OR"), name="lot_moi"
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("vector_copies_per_cell", None), ("vector_copies_per_cell__gt", 0), _connector="OR"
                ),
                name="lot_vector_copies_per_cell",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("carrier_volume_ul", None), ("carrier_volume_ul__gt", 0), _connector="OR"),
                name="lot_carrier_volume_ul",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(("cells_per_ml", None), ("cells_per_ml__gt", 0), _connector="OR"),
                name="lot_cells_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="dose",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="dose_amount"),
        ),
        migrations.AddConstraint(
            model_name="dose",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("viability_percent", None),
                    models.Q(("viability_percent__gte", 0), ("viability_percent__lte", 100)),
                    _connector="OR",
                ),
                name="dose_viability_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="dose",
            constraint=models.CheckConstraint(
                condition=models.Q(("volume_ul", None), ("volume_ul__gt", 0), _connector="OR"), name="dose_volume_ul"
            ),
        ),
        migrations.AddConstraint(
            model_name="dose",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight_g", None), ("weight_g__gt", 0), _connector="OR"), name="dose_weight_g"
            ),
        ),
        migrations.AddConstraint(
            model_name="dose",
            constraint=models.CheckConstraint(
                condition=models.Q(("thaw_to_injection_min", None), ("thaw_to_injection_min__gte", 0), _connector="OR"),
                name="dose_thaw_to_injection_min",
            ),
        ),
        migrations.AddIndex(
            model_name="plannedprocedure",
            index=models.Index(
                condition=models.Q(("state", "planned")), fields=["latest_on"], name="planned_procedure_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedprocedure",
            constraint=models.UniqueConstraint(
                fields=("enrolment", "step", "repeat"),
                name="planned_procedure_once",
                violation_error_message="This is already planned for the animal.",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedprocedure",
            constraint=models.CheckConstraint(
                condition=models.Q(("earliest_on__lte", models.F("due_on")), ("latest_on__gte", models.F("due_on"))),
                name="planned_procedure_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="plannedprocedure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "cancelled"), _negated=True),
                    models.Q(("cancel_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="planned_procedure_cancelled",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolversion",
            constraint=models.UniqueConstraint(
                fields=("protocol", "number"),
                name="protocol_version_once",
                violation_error_message="The protocol already has this version.",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolversion",
            constraint=models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="protocol_version_from_1"),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.UniqueConstraint(
                fields=("version", "name"),
                name="protocol_step_name_once",
                violation_error_message="The version already has a step of this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="protocol_step_name_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(condition=models.Q(("repeats__gte", 1)), name="protocol_step_repeats"),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(condition=models.Q(("every_days__gte", 1)), name="protocol_step_every"),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("after", models.F("id")), _negated=True), name="protocol_step_not_after_itself"
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount", None), ("amount_unit", "")),
                    models.Q(("amount__gt", 0), models.Q(("amount_unit", ""), _negated=True)),
                    _connector="OR",
                ),
                name="protocol_step_amount_with_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "induction"), models.Q(("induction_model", ""), _negated=True)),
                    models.Q(models.Q(("kind", "induction"), _negated=True), ("induction_model", "")),
                    _connector="OR",
                ),
                name="protocol_step_induction",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concentration_mg_per_ml", None), ("concentration_mg_per_ml__gt", 0), _connector="OR"
                ),
                name="protocol_step_concentration_mg_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("volume_ul", None), ("volume_ul__gt", 0), _connector="OR"),
                name="protocol_step_volume_ul",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("analgesia_every_h", None), ("analgesia_every_h__gt", 0), _connector="OR"),
                name="protocol_step_analgesia_every_h",
            ),
        ),
        migrations.AddConstraint(
            model_name="protocolstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("analgesia_for_h", None), ("analgesia_for_h__gt", 0), _connector="OR"),
                name="protocol_step_analgesia_for_h",
            ),
        ),
        migrations.AddConstraint(
            model_name="armprotocol",
            constraint=models.UniqueConstraint(
                fields=("arm", "version", "shift_days"),
                name="arm_protocol_once",
                violation_error_message="The arm already follows this version.",
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("batch", None), ("lot__isnull", False)),
                    models.Q(("batch__isnull", False), ("lot", None)),
                    _connector="OR",
                ),
                name="recall_one_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="recall_reason_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lift_reason", ""), ("lifted_at", None), ("lifted_by", None)),
                    models.Q(
                        ("lifted_at__gte", models.F("recalled_at")),
                        ("lifted_by__isnull", False),
                        models.Q(("lift_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="recall_lifted_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("batch", None), ("lot__isnull", False)),
                    models.Q(("batch__isnull", False), ("lot", None)),
                    _connector="OR",
                ),
                name="release_one_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("statement", ""), _negated=True), name="release_statement_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="safetytest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("batch", None), ("lot__isnull", False)),
                    models.Q(("batch__isnull", False), ("lot", None)),
                    _connector="OR",
                ),
                name="safety_test_one_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetytest",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome", "pending"), ("tested_on__isnull", False), _connector="OR"),
                name="safety_test_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetytest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "karyotype"), ("outcome", "passed"), _negated=True),
                    ("metaphases__gte", 20),
                    _connector="OR",
                ),
                name="safety_test_metaphases",
            ),
        ),
        migrations.AddConstraint(
            model_name="safetytest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("endotoxin_eu_per_ml", None),
                    models.Q(("endotoxin_eu_per_ml__gte", 0), ("kind", "endotoxin")),
                    _connector="OR",
                ),
                name="safety_test_endotoxin",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("batch__isnull", False), ("lot", None)),
                    models.Q(("batch", None), ("lot__isnull", False)),
                    _connector="OR",
                ),
                name="stock_use_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockuse",
            constraint=models.UniqueConstraint(
                fields=("experiment", "lot", "batch"),
                name="stock_use_once",
                nulls_distinct=False,
                violation_error_message="This use is already recorded.",
            ),
        ),
        migrations.AddConstraint(
            model_name="tissuesample",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="tissue_sample_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="tissuesample",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("placental_part", ""), ("source", "placenta"), _negated=True),
                    models.Q(("source", "placenta"), ("placental_part", ""), _connector="OR"),
                ),
                name="tissue_sample_placental_part",
            ),
        ),
        migrations.AddConstraint(
            model_name="tissuesample",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_g", None), ("amount_g__gt", 0), _connector="OR"),
                name="tissue_sample_amount_g",
            ),
        ),
        migrations.AddConstraint(
            model_name="tissuesample",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_ml", None), ("amount_ml__gt", 0), _connector="OR"),
                name="tissue_sample_amount_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="isolation_batch_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("collagenase_mg_per_ml", None), ("collagenase_mg_per_ml__gt", 0), _connector="OR"),
                name="isolation_batch_collagenase_mg_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("digestion_min", None), ("digestion_min__gt", 0), _connector="OR"),
                name="isolation_batch_digestion_min",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("seeding_cells_per_cm2", None), ("seeding_cells_per_cm2__gt", 0), _connector="OR"),
                name="isolation_batch_seeding_cells_per_cm2",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("supplement_percent", None),
                    models.Q(("supplement_percent__gte", 0), ("supplement_percent__lte", 100)),
                    _connector="OR",
                ),
                name="isolation_batch_supplement_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("oxygen_percent", None),
                    models.Q(("oxygen_percent__gte", 0), ("oxygen_percent__lte", 100)),
                    _connector="OR",
                ),
                name="isolation_batch_oxygen_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="isolationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("yield_cells", None), ("yield_cells__gte", 0), _connector="OR"),
                name="isolation_batch_yield",
            ),
        ),
        migrations.AddConstraint(
            model_name="tumour",
            constraint=models.CheckConstraint(
                condition=models.Q(("size_mm", None), ("size_mm__gt", 0), _connector="OR"), name="tumour_size_mm"
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("particles_per_ml__isnull", False), ("protein_ug_per_ml__isnull", False)),
                    models.Q(("lipid_ug_per_ml__isnull", False), ("particles_per_ml__isnull", False)),
                    models.Q(("lipid_ug_per_ml__isnull", False), ("protein_ug_per_ml__isnull", False)),
                    _connector="OR",
                ),
                name="vesicles_two_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("source_cells", None), ("source_cells__gt", 0), _connector="OR"),
                name="vesicles_source_cells",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("source_ml", None), ("source_ml__gt", 0), _connector="OR"),
                name="vesicles_source_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("particles_per_ml", None), ("particles_per_ml__gt", 0), _connector="OR"),
                name="vesicles_particles_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("protein_ug_per_ml", None), ("protein_ug_per_ml__gt", 0), _connector="OR"),
                name="vesicles_protein_ug_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("lipid_ug_per_ml", None), ("lipid_ug_per_ml__gt", 0), _connector="OR"),
                name="vesicles_lipid_ug_per_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="vesiclecharacterisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode_diameter_nm", None), ("mode_diameter_nm__gt", 0), _connector="OR"),
                name="vesicles_mode_diameter_nm",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True), name="vial_code_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="vial_amount"),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(condition=models.Q(("amount_left__gte", 0)), name="vial_amount_left"),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("box", None), ("column", None), ("row", None)),
                    models.Q(("box__isnull", False), ("column__gte", 1), ("row__gte", 1)),
                    _connector="OR",
                ),
                name="vial_place_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("box__isnull", False)),
                fields=("box", "row", "column"),
                name="vial_place_once",
                violation_error_message="Another vial stands at this place.",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["stored", "thawed"]), ("box", None), _connector="OR"),
                name="vial_used_has_no_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "stored"), ("thawed_at", None)),
                    ("state", "discarded"),
                    models.Q(("state__in", ["thawed", "used"]), ("thawed_at__isnull", False)),
                    _connector="OR",
                ),
                name="vial_thawed_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("thawed_at", None), ("frozen_at", None), ("thawed_at__gt", models.F("frozen_at")), _connector="OR"
                ),
                name="vial_thawed_after_frozen",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("post_thaw_viability_percent", None),
                    models.Q(("post_thaw_viability_percent__gte", 0), ("post_thaw_viability_percent__lte", 100)),
                    _connector="OR",
                ),
                name="vial_post_thaw_viability",
            ),
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["used", "discarded"]), _negated=True), ("amount_left", 0), _connector="OR"
                ),
                name="vial_used_is_empty",
            ),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(fields=["vial", "moved_at"], name="stock_movement_of_vial"),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("kind__in", ["made", "received", "moved_in"])),
                    models.Q(("amount__lt", 0), ("kind__in", ["dispensed", "consumed", "discarded", "moved_out"])),
                    models.Q(("kind", "corrected"), models.Q(("amount", 0), _negated=True)),
                    _connector="OR",
                ),
                name="stock_movement_sign",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["discarded", "corrected"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="stock_movement_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dose__isnull", False), ("experiment__isnull", False), ("kind", "dispensed")),
                    models.Q(models.Q(("kind", "dispensed"), _negated=True), ("dose", None), ("experiment", None)),
                    _connector="OR",
                ),
                name="stock_movement_dose",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "consumed"), ("made_lot__isnull", False)),
                    models.Q(models.Q(("kind", "consumed"), _negated=True), ("made_lot", None)),
                    _connector="OR",
                ),
                name="stock_movement_made_lot",
            ),
        ),
        migrations.AddConstraint(
            model_name="dosevial",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="dose_vial_amount"),
        ),
        migrations.AddConstraint(
            model_name="dosevial",
            constraint=models.UniqueConstraint(
                fields=("dose", "vial"),
                name="dose_vial_once",
                violation_error_message="The dose already names this vial.",
            ),
        ),
        migrations.AddConstraint(
            model_name="welfarerule",
            constraint=models.CheckConstraint(condition=models.Q(("threshold__gt", 0)), name="welfare_rule_threshold"),
        ),
        migrations.AddConstraint(
            model_name="welfarerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("from_day", None), ("to_day", None), ("to_day__gte", models.F("from_day")), _connector="OR"
                ),
                name="welfare_rule_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="welfarerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("action", ""), _negated=True), name="welfare_rule_action_not_blank"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(condition=models.Q(("state", "open")), fields=["experiment"], name="alert_open"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolution", ""), ("resolved_at", None), ("resolved_by", None), ("state", "open")),
                    models.Q(
                        ("resolved_at__isnull", False),
                        ("resolved_by__isnull", False),
                        ("state", "resolved"),
                        models.Q(("resolution", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="alert_resolved_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("rule__isnull", False), ("state", "open")),
                fields=("enrolment", "rule"),
                name="alert_open_once",
                violation_error_message="This alert is already open.",
            ),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
            )
            for table, name, columns, target in SAME_EXPERIMENT
        ),
    ]
