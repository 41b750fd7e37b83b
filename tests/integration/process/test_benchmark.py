"""The benchmark serves the product as in production, measures an operation, and writes down what it found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.report import Report

_ROOT = Path(__file__).parents[3]
_SECONDS = 500


def test_a_glance_at_the_heartbeat(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "exam heartbeat", "--json", str(path)]

    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(path.read_bytes(), type=Report)
    (heartbeat,) = report.operations
    assert report.settings == {"ACE_ENVIRONMENT": "production"}
    assert heartbeat.server_us > 0
    assert heartbeat.postgres_us > 0
    assert heartbeat.limit_us > 0
    assert heartbeat.wal_bytes > 0
    assert heartbeat.name in done.stdout
