"""Weak areas and readiness over HTTP, down to the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from domain.progress.beta import beta_cdf, beta_quantile
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD, QUESTIONS, WholeSite, whole_site_of

WEAK, READY = "/student/weak-areas", "/student/readiness"
_STORED = "select user_id, p_pass, need, questions, passed from readiness_predictions"


@pytest.fixture
async def fresh(cloned: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """A site in which nobody has answered anything: three questions of each of two topics."""
    async with whole_site_of(cloned) as site:
        yield site


async def asked(site: WholeSite, path: str) -> dict[str, Any]:
    answer = await site.ask("GET", path, "student", params={"examPackageId": site.package})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def topic_of_each(site: WholeSite) -> dict[str, str]:
    """Question → topic."""
    return dict(site.database.keeper.execute("select id, topic_id from questions").fetchall())


async def practise(site: WholeSite, right: Mapping[str, bool], **wishes: Any) -> None:
    """Answer every question there is, rightly where the topic is one of these."""
    topics = topic_of_each(site)
    session = await site.practice(count=QUESTIONS, **wishes)
    for question in session["questions"]:
        choice = "B" if right[topics[question["questionId"]]] else "A"
        sent = {"slot": question["slot"], "choiceIds": [choice]}
        answer = await site.ask("POST", f"/practice-sessions/{session['id']}/answers", "student", json=sent)
        assert answer.status_code == 200, answer.text


def topics_of(site: WholeSite) -> dict[str, str]:
    """Name → id."""
    return dict(site.database.keeper.execute("select name, id from question_topics").fetchall())


async def test_nothing_is_known_of_a_newcomer(fresh: WholeSite) -> None:
    body = await asked(fresh, WEAK)
    assert body["examPackageId"] == fresh.package
    assert [item["topicId"] for item in body["items"]] == sorted(topics_of(fresh).values())
    (item, _) = body["items"]
    assert item == {
        "topicId": item["topicId"],
        "topicName": item["topicName"],
        "class": "unknown",
        "mean": "0.5",
        "interval": {"low": f"{beta_quantile(0.1, 2, 2):.4f}", "high": f"{beta_quantile(0.9, 2, 2):.4f}"},
        "chanceBelowPassMark": _share(beta_cdf(_pass_fraction(fresh), 2, 2)),
        "weight": "0.5",
        "priority": _share(beta_cdf(_pass_fraction(fresh), 2, 2) / 2),
        "effectiveAnswers": "0",
        "answers": 0,
        "rawPercent": None,
    }
    assert await asked(fresh, READY) == {
        "examPackageId": fresh.package,
        "status": "insufficient_data",
        "coverage": "0",
        "questions": QUESTIONS,
        "questionsNeeded": -(-QUESTIONS * int(100 * _pass_fraction(fresh)) // 100),
        "passProbability": None,
        "expectedScore": None,
        "scoreInterval": None,
        "uncalibrated": False,
    }
    assert fresh.database.keeper.execute(_STORED).fetchall() == []


async def test_answers_tell_what_is_weak_and_what_is_strong(fresh: WholeSite) -> None:
    """Three rounds through three questions each are 3 + 1.5 + 0.75 answers' worth."""
    topics = topics_of(fresh)
    for _ in range(3):
        await practise(fresh, {topics["Topic 0"]: True, topics["Topic 1"]: False})
    weak, strong = (await asked(fresh, WEAK))["items"]
    told = ("topicName", "class", "mean", "effectiveAnswers", "answers", "rawPercent")
    assert [weak[name] for name in told] == ["Topic 1", "weak", "0.2162", "5.25", 9, "0"]
    assert [strong[name] for name in told] == ["Topic 0", "developing", "0.7838", "5.25", 9, "100"]
    assert float(weak["priority"]) > float(strong["priority"])

    ready = await asked(fresh, READY)
    assert (ready["status"], ready["coverage"], ready["expectedScore"]) == ("ok", "1", "3")
    assert 0 < float(ready["passProbability"]) < 0.2
    low, high = ready["scoreInterval"]["low"], ready["scoreInterval"]["high"]
    assert 0 <= low <= 3 <= high <= QUESTIONS
    assert await asked(fresh, READY) == ready
    ((_, p_pass, need, questions, passed),) = fresh.database.keeper.execute(_STORED).fetchall()
    assert p_pass == float(ready["passProbability"])
    assert (need, questions, passed) == (ready["questionsNeeded"], QUESTIONS, None)

    await fresh.container.count_facilities()({})
    counted = fresh.database.keeper.execute("select topic_id, responses, earned from topic_facilities").fetchall()
    assert sorted(counted) == sorted([(topics["Topic 0"], 9, 9.0), (topics["Topic 1"], 9, 0.0)])

    drawn = await fresh.practice(source="weak")
    of_topics = topic_of_each(fresh)
    assert {of_topics[question["questionId"]] for question in drawn["questions"]} == {topics["Topic 1"]}


async def test_an_open_deferred_session_tells_nothing(fresh: WholeSite) -> None:
    topics = topics_of(fresh)
    all_right = dict.fromkeys(topics.values(), True)
    for _ in range(2):
        await practise(fresh, {topics["Topic 0"]: True, topics["Topic 1"]: False})
    before = await asked(fresh, WEAK), await asked(fresh, READY)
    session = await fresh.practice(count=QUESTIONS, feedback="deferred")
    for question in session["questions"][:-1]:
        sent = {"slot": question["slot"], "choiceIds": ["B"]}
        await fresh.ask("POST", f"/practice-sessions/{session['id']}/answers", "student", json=sent)
    assert (await asked(fresh, WEAK), await asked(fresh, READY)) == before
    finished = await fresh.ask("POST", f"/practice-sessions/{session['id']}/finish", "student")
    assert finished.status_code == 200
    assert await asked(fresh, WEAK) != before[0]
    await practise(fresh, all_right, feedback="deferred")


async def test_the_door_is_an_enrolment_that_is_or_was(fresh: WholeSite) -> None:
    new = {"email": "newcomer@example.org", "password": PASSWORD, "delivery": "body"}
    registered = await fresh.client.post("/student/auth/register", json=new)
    fresh.tokens["newcomer"] = registered.json()["accessToken"]
    package = {"examPackageId": fresh.package}
    for path in (WEAK, READY):
        assert_problem(await fresh.ask("GET", path, "newcomer", params=package), 403, "enrollment.required")
    fresh.database.keeper.execute("update exam_packages set visibility = 'hidden'")
    left = await fresh.ask("DELETE", f"/student/enrollments/{fresh.package}", "student")
    assert left.status_code == 204
    for path in (WEAK, READY):
        assert_problem(await fresh.ask("GET", path, "newcomer", params=package), 404, "package.not_found")
        assert (await fresh.ask("GET", path, "student", params=package)).status_code == 200


async def test_a_package_that_cannot_be_is_refused(fresh: WholeSite) -> None:
    for path in (WEAK, READY):
        unknown = await fresh.ask("GET", path, "student", params={"examPackageId": "pkg_none"})
        assert_problem(unknown, 404, "package.not_found")
        for query in ({}, {"examPackageId": ""}, {"examPackageId": "a b"}, {"examPackageId": "a" * 65}):
            assert_problem(await fresh.ask("GET", path, "student", params=query), 422, "request.invalid")


def _pass_fraction(site: WholeSite) -> float:
    row = site.database.keeper.execute("select pass_mark from exam_packages").fetchone()
    assert row is not None
    return float(row[0]) / 100


def _share(value: float) -> str:
    return f"{value:.4f}".rstrip("0")
