"""Whether another tool finds the same: wrk, where it is installed, on one read beside our own driver."""

from __future__ import annotations

import re
import shutil
import subprocess

import msgspec

from benchmarks.client import Load
from benchmarks.driver import Driver, Refused, accepted
from benchmarks.site import HOST, PUBLIC_HOST, Site

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors")
_HEADERS = ("cookie", "sec-fetch-site", "accept")


class OtherTool(msgspec.Struct, frozen=True, kw_only=True):
    """The same read by both: answers a second, and microseconds of CPU of server and PostgreSQL for each."""

    wrk_per_second: float
    wrk_us: float
    driver_per_second: float
    driver_us: float


def compare_with_wrk(site: Site, request: bytes, connections: int, seconds: int) -> OtherTool | None:
    """One request over and over on each connection; None where there is no wrk."""
    program = shutil.which("wrk")
    if program is None:
        return None
    with Driver(Load(host=HOST, port=site.port, streams=[[request]] * connections, repeat=True)) as driver:
        accepted(driver.run(0.5), "read")
        used = _used(site)
        outcome = accepted(driver.run(seconds), "read")
        driven = _used(site) - used
    used = _used(site)
    output = _wrk(program, site, request, connections, seconds)
    by_wrk = _used(site) - used
    rate, count = _RATE.search(output), _COUNT.search(output)
    if rate is None or count is None or _REFUSED.search(output):
        raise Refused(f"wrk said:\n{output}")
    return OtherTool(
        wrk_per_second=float(rate[1]),
        wrk_us=by_wrk / int(count[1]) * 1e6,
        driver_per_second=len(outcome.latencies) / outcome.seconds,
        driver_us=driven / len(outcome.latencies) * 1e6,
    )


def _wrk(program: str, site: Site, request: bytes, connections: int, seconds: int) -> str:
    line, *headers = request.decode().split("\r\n")
    given = [f"-H{header}" for header in headers if header.partition(":")[0] in _HEADERS]
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", f"-HHost: {PUBLIC_HOST}", *given]
    url = f"http://{HOST}:{site.port}{line.split()[1]}"
    return subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout  # noqa: S603


def _used(site: Site) -> float:
    return site.server_seconds() + site.postgres_seconds()
