"""Over HTTP: whether readiness keeps its word."""

from __future__ import annotations

from typing import Any

from tests.support.http import assert_problem
from tests.support.whole_site import WholeSite

CALIBRATED = "/admin/analytics/readiness-calibration"
_PREDICTIONS = b"""
insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need,
                                   questions, coverage, exam_session_id, passed)
select u.id, 'rdy_' || %(begin)s::integer + n, %(package)s, now(), %(p_pass)s, 10, 8, 12, 10, 20, 1,
       case when n < 100 then 'exs_' || n end, case when n < 100 then n < %(passed)s end
  from (select id from users where role = 'student' limit 1) u, generate_series(0, 129) n
"""


async def asked(site: WholeSite, **query: str) -> dict[str, Any]:
    answer = await site.ask("GET", CALIBRATED, "admin", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_calibration_of_nothing_is_empty(site: WholeSite) -> None:
    body = await asked(site)
    bands = body.pop("bands")
    assert body == {
        "examPackageId": None,
        "pairs": 0,
        "passed": 0,
        "brierScore": None,
        "slope": None,
        "uncalibrated": False,
    }
    assert [band["low"] for band in bands] == ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    assert bands[9] == {
        "low": "0.9",
        "high": "1",
        "count": 0,
        "predicted": None,
        "observed": None,
        "interval": {"low": "0", "high": "1"},
    }


async def test_calibration_holds_chances_against_outcomes(whole_site: WholeSite) -> None:
    """Of 100 at 0.9 only 60 passed, of 100 at 0.1 did 40: far too sure. What has no outcome yet does not count."""
    for begin, p_pass, passed in ((0, 0.9, 60), (1000, 0.1, 40)):
        predicted = {"begin": begin, "p_pass": p_pass, "passed": passed, "package": whole_site.package}
        whole_site.database.keeper.execute(_PREDICTIONS, predicted)
    body = await asked(whole_site)
    ready = await whole_site.ask("GET", "/student/readiness", "student", params={"examPackageId": whole_site.package})
    assert ready.json()["uncalibrated"] is True
    bands = {band["low"]: band for band in body.pop("bands")}
    assert body == {
        "examPackageId": None,
        "pairs": 200,
        "passed": 100,
        "brierScore": "0.33",
        "slope": "0.1845",
        "uncalibrated": True,
    }
    assert bands["0.9"] == {
        "low": "0.9",
        "high": "1",
        "count": 100,
        "predicted": "0.9",
        "observed": "0.6",
        "interval": {"low": "0.502", "high": "0.6906"},
    }
    assert bands["0.1"]["observed"] == "0.4"
    assert (await asked(whole_site, examPackageId=whole_site.package))["pairs"] == 200
    assert (await asked(whole_site, examPackageId="pkg_other"))["pairs"] == 0


async def test_only_administrators_see_calibration(site: WholeSite) -> None:
    for person in ("student", "instructor"):
        assert_problem(await site.ask("GET", CALIBRATED, person), 403, "auth.forbidden")
    assert_problem(await site.ask("GET", CALIBRATED, "admin", params={"examPackageId": "a b"}), 422, "request.invalid")
