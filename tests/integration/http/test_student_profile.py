"""Profile and badges over HTTP: bodies, refusals, conditions, and nobody else's data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from application.progress.crediting import credit, take_back
from application.progress.ports.profile import ProfileWork
from domain.progress.activity import Activity
from tests.support.http import assert_problem
from tests.support.progress_stores import an_answer, an_exam
from tests.support.whole_site import PASSWORD, WholeSite

pytestmark = pytest.mark.usefixtures("within_one_day")

PROFILE, BADGES = "/student/profile", "/student/badges"
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Student:
    """Somebody who has just registered, at the site."""

    site: WholeSite
    name: str
    user_id: str = ""

    async def ask(self, path: str = PROFILE, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.site.ask("GET", path, self.name, headers=sent)

    async def read(self, path: str = PROFILE) -> dict[str, Any]:
        answer = await self.ask(path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def change(self, tag: str | None = None, **fields: Any) -> httpx.Response:
        headers = {} if tag is None else {"if-match": tag}
        return await self.site.ask("PATCH", PROFILE, self.name, json=fields, headers=headers)

    async def studied(self, *activities: Activity) -> None:
        """Is credited as practice and exams credit."""

        async def unit(work: ProfileWork) -> None:
            for activity in activities:
                await credit(work, await work.hold_progress(self.user_id), activity)

        await self.site.container.profile_transaction()(unit)

    async def was_given(self, image: str) -> None:
        """Has a picture that another door took."""

        async def unit(work: ProfileWork) -> None:
            user = await work.hold_user(self.user_id)
            assert user is not None
            await work.save_user(replace(user, image=image, updated_at=work.now))

        await self.site.container.profile_transaction()(unit)


Coming = Callable[[], Awaitable[Student]]


@pytest.fixture
def come(whole_site: WholeSite) -> Coming:
    async def register() -> Student:
        name = f"student-{next(_NUMBERS)}"
        body = {"email": f"{name}@example.org", "password": PASSWORD, "delivery": "body"}
        answer = await whole_site.client.post("/student/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        whole_site.tokens[name] = answer.json()["accessToken"]
        return Student(whole_site, name, answer.json()["user"]["id"])

    return register


@pytest.fixture
async def ada(come: Coming) -> Student:
    return await come()


@pytest.fixture
async def bob(come: Coming) -> Student:
    return await come()


async def test_the_profile_of_somebody_who_has_just_come(ada: Student) -> None:
    assert await ada.read() == {
        "username": None,
        "name": "",
        "bio": "",
        "avatarUrl": None,
        "timeZone": "UTC",
        "dayStartHour": 0,
        "timeZoneChangeableAt": None,
        "totalQuestionsAnswered": 0,
        "totalExamsTaken": 0,
        "totalExamsPassed": 0,
        "daysActive": 0,
        "studyStreakCurrent": 0,
        "studyStreakLongest": 0,
        "studyStreakState": "none",
        "lastActivityDate": None,
    }


async def test_every_field_is_changed_and_taken_away_again(ada: Student) -> None:
    wishes: dict[str, Any] = {
        "username": "countess",
        "name": "Ada Lovelace",
        "bio": "First line.\nSecond line.",
        "avatarUrl": "https://example.org/ada.png",
        "timeZone": "Europe/London",
        "dayStartHour": 4,
    }
    changed = await ada.change(**wishes)
    assert changed.status_code == 200
    assert changed.json() == await ada.read() == await ada.read() | wishes
    assert (await ada.ask("/student/auth/me")).json()["user"]["username"] == "countess"
    await ada.change(username=None, name=None, bio=None, avatarUrl=None)
    gone = {"username": None, "name": "", "bio": "", "avatarUrl": None}
    assert await ada.read() == await ada.read() | gone | {"timeZone": "Europe/London", "dayStartHour": 4}


async def test_what_was_done_is_counted(ada: Student) -> None:
    before = datetime.now(UTC).date()
    await ada.studied(an_answer(answers=3), an_exam(passed=True), an_exam("exs_2"))
    body = await ada.read()
    assert body.pop("lastActivityDate") in {str(before), str(datetime.now(UTC).date())}
    told = {name: body[name] for name in body if name.startswith(("total", "study", "days"))}
    assert told == {
        "totalQuestionsAnswered": 3,
        "totalExamsTaken": 2,
        "totalExamsPassed": 1,
        "daysActive": 1,
        "studyStreakCurrent": 1,
        "studyStreakLongest": 1,
        "studyStreakState": "secured",
    }


async def test_no_cache_keeps_what_is_personal(ada: Student) -> None:
    for path in (PROFILE, BADGES):
        assert (await ada.ask(path)).headers["cache-control"] == "no-store"
    changed = await ada.change(bio="One")
    assert changed.headers["etag"] == (await ada.ask()).headers["etag"]


async def test_a_change_may_ask_for_the_profile_that_was_read(ada: Student) -> None:
    """What was counted since is not in its way; what was changed since is."""
    tag = (await ada.ask()).headers["etag"]
    await ada.studied(an_answer())
    assert (await ada.change(tag=tag, bio="One")).status_code == 200
    late = await ada.change(tag=tag, bio="Two")
    assert_problem(late, 412, "profile.precondition_failed")
    assert (await ada.read())["bio"] == "One"
    assert (await ada.change(tag=late.headers["etag"], bio="Two")).json()["bio"] == "Two"


async def test_a_picture_from_another_door_is_shown_where_a_profile_may_have_it(ada: Student) -> None:
    """And a tag from before that change is outdated, because the profile shows another picture."""
    tag = (await ada.ask()).headers["etag"]
    for image, shown in (("https://example.org/a.png", "https://example.org/a.png"), ("javascript:alert(1)", None)):
        await ada.was_given(image)
        assert (await ada.read())["avatarUrl"] == shown
    assert_problem(await ada.change(tag=tag, bio="One"), 412, "profile.precondition_failed")
    assert (await ada.change(bio="One")).json()["avatarUrl"] is None


@pytest.mark.parametrize("tag", ['"7"', 'W/"1"', '"none"', '"9223372036854775807"'])
async def test_a_tag_of_no_version_matches_nothing(site: WholeSite, tag: str) -> None:
    answer = await Student(site, "student").change(tag=tag, bio="One")
    assert_problem(answer, 412, answer.json()["code"])


async def test_the_clock_is_changed_once_in_24_hours(ada: Student) -> None:
    changed = await ada.change(timeZone="Europe/Berlin")
    assert changed.status_code == 200
    wait = datetime.fromisoformat(changed.json()["timeZoneChangeableAt"]) - datetime.now(UTC)
    assert 86_390 <= wait.total_seconds() <= 86_400
    assert (await ada.read())["timeZoneChangeableAt"] == changed.json()["timeZoneChangeableAt"]
    refused = await ada.change(timeZone="UTC", bio="Not kept")
    assert_problem(refused, 429, "profile.time_zone_changed_recently")
    assert 86_390 <= int(refused.headers["retry-after"]) <= 86_400
    body = await ada.read()
    assert (body["timeZone"], body["bio"]) == ("Europe/Berlin", "")


async def test_a_username_belongs_to_one_whatever_its_case(ada: Student, bob: Student) -> None:
    assert (await bob.change(username="Countess")).status_code == 200
    refused = await ada.change(username="countess", bio="Not kept")
    assert_problem(refused, 409, "user.username_taken")
    body = await ada.read()
    assert (body["username"], body["bio"]) == (None, "")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("username", "ab"),
        ("username", "a b c"),
        ("username", "x" * 65),
        ("name", "x" * 201),
        ("name", "two\nlines"),
        ("bio", "x" * 2001),
        ("bio", "a\x1bb"),
        ("avatarUrl", "http://example.org/a.png"),
        ("avatarUrl", "javascript:alert(1)"),
        ("avatarUrl", "https://example.org/" + "x" * 2000),
        ("avatarUrl", 'https://example.org/"><script>'),
        ("timeZone", "Mars/Base"),
        ("timeZone", "../../etc/passwd"),
        ("timeZone", ""),
        ("timeZone", None),
        ("timeZone", "localtime"),
        ("dayStartHour", -1),
        ("dayStartHour", 13),
        ("dayStartHour", None),
        ("dayStartHour", 1.5),
        ("totalQuestionsAnswered", 1000),
        ("studyStreakLongest", 30),
        ("email", "new@example.org"),
        ("role", "admin"),
        ("userId", "usr_1"),
        ("version", 7),
    ],
)
async def test_what_cannot_be_is_refused_by_field(site: WholeSite, field: str, wrong: Any) -> None:
    answer = await Student(site, "student").change(**{field: wrong})
    assert_problem(answer, 422, "request.invalid")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{field}"]


async def test_too_long_an_address_is_told_in_words(site: WholeSite) -> None:
    answer = await Student(site, "student").change(avatarUrl="http://example.org/a.png")
    assert answer.json()["errors"][0]["message"].endswith("has at most 2000 characters")


async def test_a_change_of_nothing_is_refused(site: WholeSite) -> None:
    assert_problem(await Student(site, "student").change(), 422, "request.invalid")


async def test_nobody_sees_or_changes_what_is_of_another(ada: Student, bob: Student) -> None:
    before = await bob.read(), await bob.read(BADGES)
    await ada.studied(an_answer(answers=100), an_exam(passed=True, perfect=True))
    await ada.change(bio="Mine", timeZone="Europe/Berlin", username="mine")
    for query in ("userId", "user_id", "studentId"):
        assert await ada.read(f"{PROFILE}?{query}={bob.user_id}") == await ada.read()
    assert (await bob.read(), await bob.read(BADGES)) == before
    assert (before[0]["daysActive"], before[0]["totalQuestionsAnswered"]) == (0, 0)


async def test_badges_that_are_earned_and_still_to_earn(ada: Student) -> None:
    await ada.studied(an_answer("prs_1", answers=99))
    body = await ada.read(BADGES)
    assert body["earned"] == []
    assert [each["code"] for each in body["toEarn"]] == [
        "first_exam",
        "first_pass",
        "streak_7",
        "streak_30",
        "answers_100",
        "answers_1000",
        "perfect_exam",
    ]
    await ada.studied(an_answer("prs_2", answers=2))
    body = await ada.read(BADGES)
    (earned,) = body["earned"]
    assert (earned["code"], earned["version"]) == ("answers_100", 1)
    at = earned["evidence"].pop("at")
    assert at == earned["earnedAt"]
    assert earned["evidence"] == {"metric": "questions_answered", "value": 101, "sourceId": "prs_2"}
    (next_one,) = [each for each in body["toEarn"] if each["metric"] == "questions_answered"]
    assert next_one == {
        "code": "answers_1000",
        "version": 1,
        "metric": "questions_answered",
        "value": 101,
        "threshold": 1000,
    }


async def test_a_badge_that_was_revoked_is_to_earn(ada: Student) -> None:
    await ada.studied(an_answer("prs_1", answers=100))

    async def unit(work: ProfileWork) -> None:
        await take_back(work, await work.hold_progress(ada.user_id), answers=40)

    await ada.site.container.profile_transaction()(unit)
    body = await ada.read(BADGES)
    assert body["earned"] == []
    assert {each["code"]: each["value"] for each in body["toEarn"]}["answers_100"] == 60
