"""Where the data folders `config/` and `templates/` lie: beside the packages, in a checkout and in the wheel alike."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config"
TEMPLATES = ROOT / "templates"
