"""cshub new connector."""

from pathlib import Path

from click.testing import CliRunner

from hub.cli.app import main


def run(*arguments: str, answers: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, ["new", "connector", *arguments], input=answers)
    return done.exit_code, done.output


def test_it_asks_for_what_it_is_not_told_and_writes_a_folder(tmp_path: Path) -> None:
    code, said = run("acme", "--into", str(tmp_path), answers="invoice\nnumber\n")
    assert code == 0, said
    assert "pages have numbers" in said
    assert {path.name for path in (tmp_path / "acme").iterdir()} >= {
        "manifest.yaml",
        "pull.py",
        "fixtures",
        "README.md",
    }
    assert "def invoice(raw" in (tmp_path / "acme" / "mapping.py").read_text()


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    code, said = run("acme", "--record", "ticket", "--paging", "token", "--into", str(tmp_path), "--dry-run")
    assert code == 0, said
    assert f"would write {tmp_path / 'acme' / 'sandbox.py'}" in said.replace("\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = run("acme", "--record", "ticket", "--paging", "token", "--into", str(tmp_path / "file" / "within"))
    assert (code, "cannot be written: Not a directory" in said) == (1, True)


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    for name in ("acme", "zendesk"):
        code, said = run(name, "--record", "ticket", "--paging", "token", "--into", str(tmp_path))
        assert (code, "already; nothing was written" in said) == (1, True)
    assert list((tmp_path / "acme").iterdir()) == []
