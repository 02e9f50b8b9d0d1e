"""The settings of the project, read from the environment through ``labdb.env``; ``deploy/env.example`` explains each."""

from datetime import timedelta
from pathlib import Path

from django.urls import reverse_lazy

from labdb import env

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = env.choice("LABDB_ENV", ("development", "production"), default="development") == "production"
DEBUG = env.flag("LABDB_DEBUG", default=False)
VAR = env.path("LABDB_VAR", default=ROOT / "var")

SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.items("LABDB_FORMER_SECRET_KEYS", default=[])
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "labdb.base.theme.ThemeConfig",  # django-unfold with the project's own site
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "labdb.base",
    "experiments",
    "assays",
    "allauth",  # after the base: its templates give way to the project's own
    "allauth.account",
    "allauth.mfa",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "labdb.base.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "labdb.base.acting.name_who_acts",
    "labdb.base.access.remember_while_reading",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "labdb.base.login.middleware.LogInMiddleware",
]

ROOT_URLCONF = "labdb.urls"
WSGI_APPLICATION = "labdb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "labdb.User"
AUTHENTICATION_BACKENDS = ["labdb.base.login.backend.LimitedBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
# scrypt needs memory as well as time, which makes guessing from a stolen table dear; the other reads older hashes.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 24 * 3600
LABDB_REQUIRE_SECOND_FACTOR = env.choice("LABDB_REQUIRE_SECOND_FACTOR", ("off", "managers", "everyone"), default="off")
LABDB_TRUSTED_PROXIES = env.whole_number("LABDB_TRUSTED_PROXIES", default=0)
LABDB_INVITATION_DAYS = env.whole_number("LABDB_INVITATION_DAYS", default=7, smallest=1)

ACCOUNT_ADAPTER = "labdb.base.login.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}  # two names of one account would be two budgets of guesses, or tell of each other
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]  # nobody signs up; allauth wants to know
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = False  # labdb.base.login.limiter is the one limit
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays, the others end with the old hash
ACCOUNT_FORMS = {
    "login": "labdb.base.login.forms.LogInForm",
    "reauthenticate": "labdb.base.login.forms.ReauthenticateForm",
    "change_password": "labdb.base.login.forms.ChangePasswordForm",
    "reset_password": "labdb.base.login.forms.ResetPasswordForm",
    "reset_password_from_key": "labdb.base.login.forms.ResetPasswordKeyForm",
}
MFA_ADAPTER = "labdb.base.login.adapter.SecondFactorAdapter"
MFA_RATE_LIMITS = False
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # steps of 30 s: telephones' clocks differ
MFA_FORMS = {
    "authenticate": "labdb.base.login.forms.AuthenticateForm",
    "reauthenticate": "labdb.base.login.forms.ReauthenticateByCodeForm",
    "activate_totp": "labdb.base.login.forms.ActivateForm",
}

SESSION_ENGINE = "labdb.base.login.sessions"
SESSION_COOKIE_AGE = env.whole_number("LABDB_IDLE_MINUTES", default=120, smallest=1) * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "labdb.base.headers.form_refused"

globals().update(env.mail("EMAIL_URL", folder=VAR / "mail"))
LABDB_HAS_MAIL = "EMAIL_HOST" in globals()
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("LABDB_MAIL_FROM", default="labdb@localhost")

LANGUAGE_CODE = env.text("LABDB_LANGUAGE", default="en-gb")
TIME_ZONE = env.time_zone("LABDB_TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["labdb.base.formats"]
# Units in which results are shown and stored; what a person entered stays beside them.
CANONICAL_UNITS = {"body_weight": env.choice("LABDB_BODY_WEIGHT_UNIT", ("g",), default="g")}

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
LABDB_FILES_DIR = env.path("LABDB_FILES_DIR", default=VAR / "files")
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
LABDB_MAX_UPLOAD_BYTES = env.whole_number("LABDB_MAX_UPLOAD_MB", default=100) * 1024 * 1024

# When a change to the record asks for a reason, and for how many minutes who made a row may change it without one.
LABDB_REASON_POLICY = env.choice("LABDB_REASON_POLICY", ("recorded", "always", "off"), default="recorded")
LABDB_REASON_GRACE_MINUTES = env.whole_number("LABDB_REASON_GRACE_MINUTES", default=15)
# Whether procedures are planned without a licence, and for how many days a cage stays marked after chemotherapy.
LABDB_LICENCE_POLICY = env.choice("LABDB_LICENCE_POLICY", ("optional", "required"), default="optional")
LABDB_CYTOTOXIC_DAYS = env.whole_number("LABDB_CYTOTOXIC_DAYS", default=3)

# What the laboratory asks for before a batch or a lot is released, and whether somebody else than its maker releases it.
LABDB_RELEASE_NEEDS_SECOND_PERSON = env.flag("LABDB_RELEASE_NEEDS_SECOND_PERSON", default=False)
LABDB_RELEASE_NEEDS_TESTS = env.items("LABDB_RELEASE_NEEDS_TESTS", default=())
LABDB_RELEASE_WHILE_PENDING = env.flag("LABDB_RELEASE_WHILE_PENDING", default=False)

CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL")
LABDB_QUEUE = CELERY_TASK_DEFAULT_QUEUE = env.text("LABDB_QUEUE", default="labdb")
LABDB_JOB_LEASE_SECONDS = env.whole_number("LABDB_JOB_LEASE_SECONDS", default=30, smallest=3)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "run" / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep the outbox": {"task": "experiments.sweep", "schedule": 2.0, "options": {"expires": 10}},
    "open the reports that are due": {
        "task": "experiments.open_due_reports",
        "schedule": 20.0,
        "options": {"expires": 60},
    },
    "warn of licences that end": {
        "task": "experiments.warn_of_licences",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "labdb.base.rest.authentication.AccessTokens",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["labdb.base.rest.wire.ExactJsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["labdb.base.rest.wire.ExactJsonParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "labdb.base.rest.schema.ApiSchema",
    "EXCEPTION_HANDLER": "labdb.base.rest.errors.answer_errors",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
KNOX_TOKEN_MODEL = "labdb.AccessToken"
REST_KNOX = {"TOKEN_TTL": timedelta(days=90), "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "labdb",
    "DESCRIPTION": "The record of a stem-cell laboratory. Numbers are exact: read them as decimals where that matters.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Clients are generated from these names: given here, a new choice elsewhere cannot change them.
    "ENUM_NAME_OVERRIDES": {
        "AllocationMethodEnum": "experiments.models.Allocation.Method",
        "AnimalSexEnum": "experiments.models.Animal.Sex",
        "ArmKindEnum": "experiments.models.Arm.Kind",
        "AssayRunStateEnum": "assays.models.runs.AssayRun.State",
        "BenefitEnum": "experiments.models.Endpoint.Benefit",
        "CadenceEnum": "experiments.models.ReportSchedule.Cadence",
        "DispositionKindEnum": "experiments.models.Disposition.Kind",
        "ExperimentStatusEnum": "experiments.models.Experiment.Status",
        "ExperimentalUnitEnum": "experiments.models.Experiment.Unit",
        "ImportRunStateEnum": "experiments.models.ImportRun.State",
        "JobStateEnum": "experiments.models.Job.State",
        "MaskingEnum": "experiments.models.Experiment.Masking",
        "MembershipRoleEnum": "experiments.models.Membership.Role",
        "QualifierEnum": "experiments.models.Observation.Qualifier",
        "ReportKindEnum": "experiments.models.Report.Kind",
        "ScaleEnum": "experiments.models.Endpoint.Scale",
        "SideEnum": "experiments.models.Observation.Side",
        "RemarkTopicEnum": "assays.models.runs.Remark.Topic",
        "SpecimenMatrixEnum": "experiments.models.Specimen.Matrix",
        "TokenScopeEnum": [("read", "read"), ("write", "read and write")],
        "TallySideEnum": [("left", "left"), ("right", "right")],
        "TrailActionEnum": "labdb.base.trail.models.TrailStatement.Action",
        "ValueKindEnum": "experiments.models.Endpoint.ValueKind",
        "WeekdayEnum": "experiments.models.ReportSchedule.Weekday",
        "WellRoleEnum": "assays.models.plates.Role",
    },
}

UNFOLD = {
    "SITE_TITLE": "labdb",
    "SITE_HEADER": "labdb",
    "SITE_SUBHEADER": "the laboratory's record",
    "SITE_SYMBOL": "genetics",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "labdb.base.static_files.icon"}],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["labdb.base.static_files.styles"],
    "SIDEBAR": {"show_search": True, "navigation": "labdb.base.panels.navigation"},
    "ACCOUNT": {
        "navigation": [
            {"title": "My log-in", "link": reverse_lazy("account_overview")},
            {"title": "My access tokens", "link": reverse_lazy("admin:tokens")},
        ]
    },
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .05 188.9)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("LABDB_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.whole_number("LABDB_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
    # `check --deploy` asks for both: names below the server's own, and a list kept by browsers, are not ours to decide
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LABDB_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    },
}

env.refuse_unsafe()
