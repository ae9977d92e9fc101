"""The one top-level module of the installed wheel: puts the private folder `_cshub/` on the path and starts the CLI.

In a checkout there is no `_cshub/` beside this file and the packages are importable as they lie.
"""

import sys
from pathlib import Path

_BOX = Path(__file__).resolve().parent / "_cshub"
if _BOX.is_dir() and str(_BOX) not in sys.path:
    sys.path.insert(0, str(_BOX))


def main() -> None:
    """Run the `cshub` command."""
    from hub.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
