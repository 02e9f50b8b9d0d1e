"""Who may import whom, as the contracts in pyproject.toml say."""

from importlinter.cli import lint_imports

from tests.services import ROOT


def test_the_layers_hold(capsys):
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr().out


def test_models_admin_and_addresses_do_not_load_the_statistics():
    """Statistics and figures take seconds to import; only workers need them."""
    import subprocess
    import sys

    code = (
        "import django; django.setup(); import sys, labdb.urls;"
        "print([m for m in ('scipy.stats', 'matplotlib', 'openpyxl') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
