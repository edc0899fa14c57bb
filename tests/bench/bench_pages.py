"""The pages: Lighthouse, the first sight on a slow phone, and what a refresh of 200 rows costs.

Measured by tests/ui/bench.js in Debian's Chromium, through nginx and the programs with their demo
academy. Lighthouse is large and only needed here: it is installed beside the build, not by the lock
file of the tests.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIGHTHOUSE = "lighthouse@13.5.0"


def main():
    home = ROOT / "build" / "lighthouse"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "node_modules" / "lighthouse").exists():
        install = ["npm", "install", "--prefix", home, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([*install, LIGHTHOUSE], check=True, stdout=sys.stderr)
    ui = ROOT / "tests" / "ui"
    if not (ui / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ui, check=True, stdout=sys.stderr)
    environment = {**os.environ, "LIGHTHOUSE": str(home / "node_modules" / "lighthouse" / "core" / "index.js")}
    return subprocess.run(["node", ui / "bench.js", *sys.argv[1:]], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
