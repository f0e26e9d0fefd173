"""The watch, measured. Each part is a script of its own:

rasd bench watch                        the small ones, one after the other
rasd bench watch leaks [--visits 500]   one of them, with its arguments
"""

import runpy
import sys
from pathlib import Path

SMALL = ["leaks", "planning"]
PARTS = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if not path.stem.startswith("_") and '__name__ == "__main__"' in path.read_text("utf-8")
)


def main() -> None:
    part, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if part and part not in PARTS:
        sys.exit(f"no part named {part}; there are: {', '.join(PARTS)}")
    for each in [part] if part else SMALL:
        sys.argv = [each, *arguments]
        runpy.run_module(f"bench.watch.{each}", run_name="__main__")


if __name__ == "__main__":
    main()
