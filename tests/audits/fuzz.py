"""Fuzzes the API: `python -m tests.audits.fuzz [--seconds 600] [--role admin]`.

schemathesis makes operations of every root field from the schema and sends them to a real server with a company in it. What
fails it: a 5xx, a bug behind a mask, a word of how the server is made (tests/audits/checks.py), or a traceback in the log.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@contextmanager
def server(folder: Path, *, minute: int = 1_000_000_000) -> Iterator[dict[str, Any]]:
    """Where the server is and what opens it; its log is in `folder`/log."""
    arguments = [sys.executable, "-m", "tests.audits.serving", "--folder", str(folder), "--minute", str(minute)]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None, "it is a pipe"
            line = process.stdout.readline()
            if not line:
                raise SystemExit((folder / "log").read_text("utf-8"))
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=30)


def fuzz(folder: Path, *, seconds: int, role: str = "admin", seed: int | None = None) -> list[str]:
    """What was wrong; nothing where all is well."""
    with server(folder) as served:
        arguments = [
            str(SCHEMATHESIS),
            "--no-color",
            "fuzz",
            *(str(ROOT / "schema" / "schema.graphql"), "--url", served["url"]),  # few may ask the server for it
            *("-H", f"Authorization: Bearer {served['tokens'][role]}"),
            *("-H", "Accept: application/graphql-response+json"),
            *("--checks", "nothing_of_internals", "--max-time", str(seconds), "--continue-on-failure"),
            *("--request-timeout", "30", "--suppress-health-check", "all"),
            *(() if seed is None else ("--seed", str(seed))),
        ]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.audits.checks", "PYTHONPATH": str(ROOT)}
        environment["CSHUB_FUZZ_ROLE"] = role
        ran = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    sys.stdout.write(ran.stdout[-4_000:])
    log = (folder / "log").read_text("utf-8")
    wrong = [] if ran.returncode == 0 else [ran.stdout[-20_000:] + ran.stderr[-4_000:]]
    if "Test cases:" not in ran.stdout:
        wrong.append(f"schemathesis tested nothing: {ran.stdout[-2_000:]}{ran.stderr[-2_000:]}")
    if "Traceback" in log:
        wrong.append(f"the server's log has a traceback:\n{log[-20_000:]}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audits.fuzz")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--role", default="admin")
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cshub-fuzz-") as folder:
        wrong = fuzz(Path(folder), seconds=given.seconds, role=given.role, seed=given.seed)
    for each in wrong:
        sys.stderr.write(f"{each}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
