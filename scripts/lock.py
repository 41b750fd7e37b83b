"""Resolve pyproject.toml into the hashed requirement files; no file names a download host."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "production": [],
    "run": ["--extra", "embedded", "--group", "build"],
    "dev": ["--extra", "embedded", "--group", "build", "--group", "test", "--group", "lint", "--group", "tools"],
}


def main() -> None:
    uv = Path(sys.executable).with_name("uv")
    for name, selection in LOCKS.items():
        command = [
            str(uv), "pip", "compile", "pyproject.toml", *selection,
            "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header",
            "--upgrade", "--quiet", "--output-file", f"requirements/{name}.txt",
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)


main()
