"""Over HTTP: statistics of exams, and the questions that they find wanting."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from tests.support.exam_site import RIGHT, WRONG, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

SUGGESTIONS = "/instructor/review-suggestions"


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    """One application for all: each test has a package of its own, and leaves the questions as they were."""
    async with exam_site_of(module_database) as found:
        yield found


@pytest.fixture(scope="module")
async def people(site: ExamSite) -> list[str]:
    return [await site.person() for _ in range(12)]


def at(package: str, portal: str = "instructor") -> str:
    return f"/{portal}/exam-packages/{package}/statistics"


async def read(site: ExamSite, package: str, person: str = "instructor", **query: str) -> dict[str, Any]:
    answer = await site.ask("GET", at(package, person), person, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def sit(site: ExamSite, package: str, person: str, right: int) -> None:
    """The first question always right, of the others so many; the last one is blank."""
    answer = await site.start(package, person)
    session = answer.json()
    for slot in range(1, 6):
        response = RIGHT if slot <= right + 1 else WRONG
        saved = await site.save(session, slot, response, person=person)
        assert saved.status_code == 200, saved.text
    submitted = await site.act(session, "submit", {}, person=person)
    assert submitted.status_code == 200, submitted.text


async def held(site: ExamSite, package: str, people: Sequence[str]) -> None:
    """Each of them sits it: the first gets one question right, the next two, up to five, and so on."""
    for number, person in enumerate(people):
        await site.enroll(package, person)
        await sit(site, package, person, number % 5)


async def test_an_exam_that_ten_students_have_sat(site: ExamSite, people: list[str]) -> None:
    """Nine are too few to tell anything; with the tenth everything is told. A second attempt counts by its rule."""
    package = await site.package()
    assert await read(site, package) | {"computedAt": ""} == {
        "examPackageId": package,
        "title": (await site.ask("GET", f"/admin/exam-packages/{package}", "admin")).json()["title"],
        "attempts": "first",
        "finishedAttempts": 0,
        "sampledAttempts": 0,
        "complete": True,
        "computedAt": "",
        "hidden": True,
        "hiddenReason": "too_few_attempts",
        "fewestAttempts": 10,
        "test": None,
        "canvas": None,
        "items": [],
        "places": [],
    }
    await held(site, package, people[:9])
    few = await read(site, package)
    assert (few["sampledAttempts"], few["hidden"], few["test"], few["items"]) == (9, True, None, [])
    await held(site, package, people[9:10])
    await sit(site, package, people[9], 4)
    found = await read(site, package)
    assert (found["finishedAttempts"], found["sampledAttempts"], found["hidden"]) == (11, 10, False)
    # 1 to 5 marks, 1 to 4, and 1.
    assert (found["test"]["mean"], found["test"]["median"]) == ("2.6", "2.5")
    assert (
        found["canvas"]["alpha"]
        == str(float(found["test"]["internalConsistency"]) / 100)[: len(found["canvas"]["alpha"])]
    )
    first, *_, blank = sorted(found["items"], key=lambda item: -float(item["facility"]))
    assert (first["facility"], first["discriminationIndex"], first["reasons"]) == ("1", None, ["very_easy"])
    assert {option["choiceId"]: option["count"] for option in first["canvas"]["options"]}["B"] == 10
    assert (blank["facility"], blank["canvas"]["answered"], blank["canvas"]["difficulty"]) == ("0", 0, None)
    assert all(item["stem"] and item["externalId"] and not item["drawn"] for item in found["items"])
    everything = await read(site, package, "admin", attempts="all")
    assert (everything["sampledAttempts"], everything["attempts"]) == (11, "all")
    best = await read(site, package, attempts="highest")
    assert float(best["test"]["mean"]) > float(found["test"]["mean"])


async def test_questions_drawn_at_random_and_their_places(site: ExamSite, people: list[str]) -> None:
    package = await site.package(questionCount=5)
    for number, person in enumerate(people):
        await site.enroll(package, person)
        session = (await site.start(package, person)).json()
        for slot in range(1, 6):
            await site.save(session, slot, RIGHT if slot <= number % 6 else WRONG, person=person)
        await site.act(session, "submit", {}, person=person)
    found = await read(site, package)
    assert [(place["section"], place["number"]) for place in found["places"]] == [(0, number) for number in range(1, 6)]
    assert all(item["drawn"] and item["effectiveWeight"] is None for item in found["items"])
    assert sum(float(place["effectiveWeight"]) for place in found["places"]) == pytest.approx(100)
    assert sum(item["attempts"] for item in found["items"]) == 60
    assert all(item["hidden"] is (item["attempts"] < 10) is (item["facility"] is None) for item in found["items"])


@pytest.fixture
def renamed(site: ExamSite) -> Iterator[None]:
    """Questions whose texts a spreadsheet would take for formulas."""
    kept = site.database.keeper.execute("select question_id, stem from question_versions").fetchall()
    site.database.keeper.execute("update question_versions set stem = '=HYPERLINK(\"x\")'")
    site.database.keeper.execute("update questions set external_id = '@' || external_id")
    yield
    site.database.keeper.execute("update questions set external_id = substr(external_id, 2)")
    for question_id, stem in kept:
        site.database.keeper.execute(
            "update question_versions set stem = %s where question_id = %s", (stem, question_id)
        )


async def test_a_file_for_spreadsheets_runs_nothing(site: ExamSite, people: list[str], renamed: None) -> None:
    package = await site.package()
    await held(site, package, people[:10])
    answer = await site.ask("GET", at(package), "instructor", params={"format": "csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{package}-statistics.csv"'
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 6
    assert {row["question-text"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert all(row["external-id"].startswith("'@") for row in rows)
    told = {item["questionId"]: item for item in (await read(site, package))["items"]}
    for row in rows:
        item = told[row["question-id"]]
        assert (row["facility"], row["discrimination-index"]) == (item["facility"], item["discriminationIndex"] or "")
        assert (row["drawn"], row["dubious"]) == ("false", str(item["dubious"]).lower())
        assert row["reasons"] == ";".join(item["reasons"])
        assert row["canvas-answered"] == str(item["canvas"]["answered"])


async def table(site: ExamSite, package: str, **query: str) -> list[dict[str, str]]:
    """A CSV of statistics, row by row."""
    answer = await site.ask("GET", at(package), "instructor", params={"format": "csv", **query})
    assert answer.status_code == 200, answer.text
    name = f"{package}-statistics" + {"items": ""}.get(query.get("table", "items"), f"-{query.get('table')}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_a_file_tells_of_the_test_and_of_its_options_too(site: ExamSite, people: list[str]) -> None:
    """Figure by figure what the document tells."""
    package = await site.package()
    await held(site, package, people[:10])
    told = await read(site, package)
    (summary,) = await table(site, package, table="summary")
    for name in ("examPackageId", "title", "attempts", "computedAt"):
        assert summary[_kebab(name)] == told[name]
    assert (summary["finished-attempts"], summary["sampled-attempts"], summary["complete"]) == ("10", "10", "true")
    assert summary["hidden-reason"] == ""
    for prefix, figures in (("", told["test"]), ("canvas-", told["canvas"])):
        for name, figure in figures.items():
            assert summary[prefix + _kebab(name)] == ("" if figure is None else str(figure)), name
    options = await table(site, package, table="options")
    assert [[row["question-id"], *list(row.values())[3:-1]] for row in options] == [
        [item["questionId"], *("" if value is None else str(value) for value in option.values())]
        for item in told["items"]
        for option in item["canvas"]["options"]
    ]
    assert len(options) > 6
    assert {row["hidden-reason"] for row in options} == {""}
    assert await table(site, package, table="items") != []


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("chosen", [{}, {"table": "summary"}, {"table": "options"}])
async def test_a_file_says_why_it_tells_nothing(site: ExamSite, people: list[str], chosen: dict[str, str]) -> None:
    package = await site.package()
    await held(site, package, people[:3])
    (row,) = await table(site, package, **chosen)
    assert row.pop("hidden-reason") == "too_few_attempts"
    told = {name: cell for name, cell in row.items() if cell}
    assert ("sampled-attempts" in told) is ("table" in chosen and chosen["table"] == "summary")
    assert not any("mean" in name or "alpha" in name for name in told)


async def test_a_file_says_of_which_questions_it_tells_nothing(site: ExamSite, people: list[str]) -> None:
    """Questions that too few were asked, of an exam that enough have sat."""
    package = await site.package(questionCount=5)
    for person in people[:11]:
        await site.enroll(package, person)
        await sit(site, package, person, 3)
    hidden = {item["questionId"] for item in (await read(site, package))["items"] if item["hidden"]}
    assert hidden, "of six questions five are drawn each time, so some were asked fewer than ten times"
    rows = await table(site, package)
    assert {row["question-id"] for row in rows if row["hidden-reason"] == "too_few_attempts"} == hidden
    (without_options,) = {
        row["choice-id"]
        for row in await table(site, package, table="options")
        if row["hidden-reason"] == "too_few_attempts" and row["question-id"] in hidden
    }
    assert without_options == ""


async def test_questions_of_a_bank_that_an_instructor_may_not_see_have_figures_only(
    site: ExamSite, people: list[str]
) -> None:
    package = await site.package()
    await held(site, package, people[:10])
    site.database.keeper.execute("update question_banks set visibility = 'hidden'")
    try:
        told = {person: await read(site, package, person) for person in ("instructor", "admin")}
    finally:
        site.database.keeper.execute("update question_banks set visibility = 'visible'")
    for person, sees in (("instructor", False), ("admin", True)):
        for item in told[person]["items"]:
            assert item["facility"] is not None
            assert [item[name] is not None for name in ("stem", "externalId", "kind")] == [sees] * 3
            assert bool(item["canvas"]["options"]) is sees


@pytest.mark.parametrize(
    ("package", "query", "code"),
    [
        ("pkg_none", {}, "package.not_found"),
        (None, {"attempts": "best"}, "request.invalid"),
        (None, {"format": "pdf"}, "request.invalid"),
        (None, {"format": "csv", "table": "places"}, "request.invalid"),
    ],
)
async def test_what_there_are_no_statistics_of(
    site: ExamSite, package: str | None, query: dict[str, str], code: str
) -> None:
    answer = await site.ask("GET", at(package or site.whole.package), "instructor", params=query)
    assert_problem(answer, 404 if package else 422, code)


async def test_what_the_night_suggests_is_listed_and_dismissed(site: ExamSite, people: list[str]) -> None:
    package = await site.package()
    await held(site, package, people[:10])
    await site.whole.container.suggest_reviews()({})
    asked = {"examPackageId": package, "reason": "very_easy"}
    answer = await site.ask("GET", SUGGESTIONS, "instructor", params=asked)
    assert answer.status_code == 200, answer.text
    (easy,) = answer.json()["items"]
    assert (easy["examPackageId"], easy["reasons"], easy["attempts"]) == (package, ["very_easy"], 10)
    assert easy["figures"] == {"facility": "1", "discriminationIndex": None, "discriminativeEfficiency": None}
    assert easy["stem"]
    path = f"{SUGGESTIONS}/{package}/{easy['questionId']}/{easy['version']}/dismiss"
    first = await site.ask("POST", path, "admin", json={"reason": " so it is meant "})
    assert first.status_code == 200, first.text
    assert first.json()["dismissReason"] == "so it is meant"
    again = await site.ask("POST", path, "admin")
    assert again.json() == first.json()
    assert (await site.ask("GET", SUGGESTIONS, "instructor", params=asked)).json()["items"] == []
    rest = (await site.ask("GET", SUGGESTIONS, "admin", params={"examPackageId": package})).json()["items"]
    assert rest
    assert easy["questionId"] not in {each["questionId"] for each in rest}


async def test_a_question_that_is_void_is_told_as_such_and_not_suggested(site: ExamSite, people: list[str]) -> None:
    package = await site.package()
    await held(site, package, people[:10])
    asked = {"examPackageId": package}
    await site.whole.container.suggest_reviews()({})
    before = (await site.ask("GET", SUGGESTIONS, "admin", params=asked)).json()["items"]
    suggested = next(each for each in before if each["reasons"] != ["very_easy"])
    wrong, version = suggested["questionId"], suggested["version"]
    body = {"questionId": wrong, "version": version, "mode": "credit_all", "reason": "No right answer"}
    body |= {"dryRun": False}
    answer = await site.ask("POST", f"/admin/exam-packages/{package}/void-question", "admin", json=body)
    assert answer.status_code == 200, answer.text
    items = {item["questionId"]: item for item in (await read(site, package))["items"]}
    assert (items[wrong]["voided"], items[wrong]["facility"], items[wrong]["reasons"]) == ("credit_all", "1", [])
    assert {item["voided"] for item in items.values()} == {"credit_all", None}
    await site.whole.container.suggest_reviews()({})
    after = (await site.ask("GET", SUGGESTIONS, "admin", params=asked)).json()["items"]
    assert {each["questionId"] for each in after} == {each["questionId"] for each in before} - {wrong}
    assert after


async def test_suggestions_page_by_page(site: ExamSite, people: list[str]) -> None:
    package = await site.package()
    await held(site, package, people[:10])
    await site.whole.container.suggest_reviews()({})
    whole = (await site.ask("GET", SUGGESTIONS, "admin")).json()["items"]
    assert len(whole) > 1
    found, query = [], {"limit": "1"}
    while True:
        body = (await site.ask("GET", SUGGESTIONS, "admin", params=query)).json()
        found += body["items"]
        if body["nextCursor"] is None:
            break
        query["cursor"] = body["nextCursor"]
    assert found == whole


@pytest.mark.parametrize("version", ["0", "01", "x", "9999999999", "1"])
async def test_a_suggestion_that_there_is_not(site: ExamSite, version: str) -> None:
    answer = await site.ask("POST", f"{SUGGESTIONS}/pkg_none/qst_none/{version}/dismiss", "admin", json={})
    assert_problem(answer, 404, "review_suggestion.not_found")
