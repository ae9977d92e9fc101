"""The wheel: installed beside other packages, with its data files, and run from anywhere."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, its dependencies borrowed from this one, and packages of the same names."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    for path in ours.iterdir():
        is_ours = path.name.startswith(("cshub", "_editable", "__pycache__")) or path.suffix == ".pth"
        if not is_ours and not (site / path.name).exists():
            (site / path.name).symlink_to(path)
    for name in ("schema", "config"):  # somebody else's packages
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("ours = False\n")
    return folder


def run(installed: Path, *arguments: str) -> str:
    python = installed / "bin" / "python"
    done = subprocess.run(
        [str(python), *arguments], cwd="/", check=False, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_one_box_and_a_launcher(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name.split("/")[0]}
    assert tops == {"_cshub", "cshub.py"}
    for part in (
        "_cshub/config/hub.yaml",
        "_cshub/config/health.yaml",
        "_cshub/config/playbooks/churn_save.yaml",
        "_cshub/hub/store/migrations/versions/0001_initial.py",
        "_cshub/hub/store/migrations/script.py.mako",
        "_cshub/connectors/hubspot/manifest.yaml",
        "_cshub/schema/schema.graphql",
    ):
        assert part in names
    assert not [name for name in names if "/tests/" in name or "_launcher" in name or "__pycache__" in name]


def test_the_command_works_from_anywhere(installed: Path) -> None:
    assert "demo" in run(installed, "-m", "cshub", "--help")
    assert "nothing is wrong" in run(installed, "-m", "cshub", "check")


def test_other_peoples_packages_keep_their_names(installed: Path) -> None:
    assert run(installed, "-c", "import schema, config; print(schema.ours, config.ours)").split() == ["False", "False"]
