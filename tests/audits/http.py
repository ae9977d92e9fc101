"""Runs the public audit suite for GraphQL over HTTP against a real server: `python -m tests.audits.http`. Needs node and npm.

The suite is npm's graphql-http, installed into FOLDER (default: .artifacts/audit) by exact versions. tests/web/graphql holds
the same requirements as tests of our own, which need no node.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.audits.fuzz import ROOT, server

PACKAGES = ("graphql-http@1.22.4", "graphql@16.11.0")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audits.http")
    parser.add_argument("--folder", type=Path, default=ROOT / ".artifacts" / "audit")
    folder: Path = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    install = ("npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent", *PACKAGES)
    subprocess.run(install, cwd=folder, check=True)
    with tempfile.TemporaryDirectory(prefix="cshub-audit-") as place, server(Path(place)) as served:
        runner = Path(__file__).with_name("http.mjs")
        ran = subprocess.run(["node", runner, served["url"], served["tokens"]["admin"], folder], check=False)
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
