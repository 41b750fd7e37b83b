"""What students may say about themselves, and when they may go by another clock."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.people import UserNotFound
from domain.errors import InvalidInput
from domain.progress.profile import (
    LONGEST_BIO,
    LONGEST_URL,
    ProfileChange,
    ProfileChanged,
    TimeZoneChangedRecently,
    clock_changeable_at,
    normalise_avatar,
    normalise_bio,
    profile_version,
    shown_avatar,
)
from domain.progress.students import StudentProgress
from tests.support.postgres import SettableClock
from tests.support.progress_stores import BOB, InMemory, a_student, an_answer

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PICTURE = "https://example.org/a.png"
ADA = StudentProgress(user_id="usr_ada", bio="Mathematics", last_day=NOW.date(), credited_from=NOW)
PERSON = replace(a_student("usr_ada", "Ada", SettableClock(NOW)), image=PICTURE)


@pytest.fixture
async def progress() -> InMemory:
    found = InMemory(clock=SettableClock(NOW))
    await found.settle()
    return found


def faults(refused: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in refused.value.problems]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org/",
        "https://cdn.example.org:8443/a/b.png?size=200&x=%20#top",
        "https://192.0.2.7/a.png",
        "https://example.org?u=ada@example.org",
        " https://example.org/a.png ",
    ],
)
def test_a_picture_has_an_address_that_browsers_ask_for_in_secret(url: str) -> None:
    assert normalise_avatar(url) == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.png",
        "HTTPS://example.org/a.png",
        "//example.org/a.png",
        "/a.png",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://",
        "https:///a.png",
        "https://ada:secret@example.org/a.png",
        "https://example.org:port/a.png",
        "https://example.org/a b.png",
        'https://example.org/"onload="alert(1)',
        "https://example.org/<script>",
        "https://example.org/a\\b",
        "https://example.org/a\nb",
        "https://example.org\n",
        "https://exämple.org/a.png",
        "https://example.org/ä.png",
        "https://-example.org/a.png",
        "https://example.org/" + "a" * LONGEST_URL,
    ],
)
def test_nothing_else_is_the_address_of_a_picture(url: str) -> None:
    if url.endswith("\n"):
        url += "x"
    with pytest.raises(InvalidInput) as refused:
        normalise_avatar(url)
    assert faults(refused) == [("/avatarUrl", "invalid_url")]


def test_the_longest_address_of_a_picture() -> None:
    longest = "https://example.org/" + "a" * (LONGEST_URL - 20)
    assert normalise_avatar(longest) == longest


@given(st.text(max_size=40) | st.from_regex(r"https://[a-z]+(/[ -~]*)?", fullmatch=True) | st.none())
def test_a_profile_shows_no_picture_that_it_would_not_take(image: str | None) -> None:
    """A person's picture may be set elsewhere, by other rules."""
    try:
        taken = normalise_avatar(image or "")
    except InvalidInput:
        taken = None
    assert shown_avatar(image) == (taken if taken == image else None)


def test_a_picture_whose_address_is_too_long_is_not_shown() -> None:
    longest = "https://example.org/" + "x" * (LONGEST_URL - 20)
    assert (shown_avatar(longest), shown_avatar(longest + "x")) == (longest, None)


@given(st.text())
def test_a_text_about_oneself_is_kept_as_it_is_or_refused(text: str) -> None:
    try:
        kept = normalise_bio(text)
    except InvalidInput:
        assert any(unicodedata.category(each) in {"Cc", "Cs"} for each in text)
    else:
        assert kept == unicodedata.normalize("NFC", text).strip()
        assert normalise_bio(kept) == kept


def test_a_text_about_oneself_has_lines() -> None:
    assert normalise_bio(" One.\r\n\tTwo.\n") == "One.\r\n\tTwo."


# Composing makes this character longer by one each time.
@pytest.mark.parametrize("text", ["x" * (LONGEST_BIO + 1), "\N{DEVANAGARI LETTER QA}" * LONGEST_BIO])
def test_a_text_about_oneself_has_an_end(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise_bio(text)
    assert faults(refused) == [("/bio", "too_long")]
    assert normalise_bio("x" * LONGEST_BIO) == "x" * LONGEST_BIO


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "\ud800"])
def test_a_text_about_oneself_has_no_control_characters(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise_bio(text)
    assert faults(refused) == [("/bio", "invalid_bio")]


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        ProfileChange()


def test_what_is_not_named_stays_and_what_is_empty_goes() -> None:
    assert ProfileChange(bio="").applied_to(ADA, NOW) == replace(ADA, bio="")
    assert ProfileChange(avatar_url="").applied_to_person(PERSON, LATER) == replace(
        PERSON, image=None, updated_at=LATER
    )
    assert ProfileChange(name="Countess").applied_to_person(PERSON, LATER).image == PICTURE


def test_a_change_to_what_it_is_already_is_none() -> None:
    same = ProfileChange(bio=" Mathematics", avatar_url=f" {PICTURE}", time_zone="UTC", day_start_hour=0)
    assert same.applied_to(ADA, NOW) is ADA
    assert same.applied_to_person(PERSON, LATER) is PERSON


def test_another_clock_makes_the_day_unknown_and_touches_no_day() -> None:
    changed = ProfileChange(time_zone="Europe/Berlin").applied_to(replace(ADA, credited_until=NOW), NOW)
    assert changed == replace(ADA, time_zone="Europe/Berlin", time_zone_changed_at=NOW, credited_from=None)


@pytest.mark.parametrize("zone", ["Mars/Base", "europe/berlin", "", "localtime", "../../etc/passwd"])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ProfileChange(time_zone=zone).applied_to(ADA, NOW)
    assert faults(refused) == [("/timeZone", "unknown_zone")]


@pytest.mark.parametrize("hour", [-1, 13, 24])
def test_a_day_that_would_begin_too_late(hour: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        ProfileChange(day_start_hour=hour).applied_to(ADA, NOW)
    assert faults(refused) == [("/dayStartHour", "out_of_range")]


@given(st.timedeltas(timedelta(0), timedelta(hours=50)))
def test_between_two_changes_of_the_clock_are_24_hours(later: timedelta) -> None:
    changed = replace(ADA, time_zone_changed_at=NOW)
    wish = ProfileChange(day_start_hour=4)
    if later >= timedelta(hours=24):
        assert wish.applied_to(changed, NOW + later).time_zone_changed_at == NOW + later
        return
    with pytest.raises(TimeZoneChangedRecently) as refused:
        wish.applied_to(changed, NOW + later)
    # Whoever waits as long as told is not refused again, and waits less than a second too long.
    wait = refused.value.retry_after_seconds
    assert wait is not None
    assert timedelta(hours=24) <= later + timedelta(seconds=wait) < timedelta(hours=24, seconds=1)


async def test_a_profile_tells_who_somebody_is_and_how_it_stands_today(progress: InMemory) -> None:
    await progress.credit(an_answer(answers=3))
    view = await progress.change(bio="I study.", name="Ada Lovelace", username="countess")
    assert (view.username, view.name, view.student.bio) == ("countess", "Ada Lovelace", "I study.")
    assert (view.streak_current, view.streak_longest, view.days_active, view.streak_state) == (1, 1, 1, "secured")
    assert (view.student.questions_answered, view.last_activity_date) == (3, NOW.date())


async def test_only_a_change_of_the_username_is_audited(progress: InMemory) -> None:
    await progress.change(bio="New", name="Countess")
    await progress.change(username="Ada")
    await progress.change(username="")
    assert await progress.audited() == [
        ("user.username_changed", {"username": "ada"}, {"username": "Ada"}),
        ("user.username_changed", {"username": "Ada"}, {"username": None}),
    ]


async def test_a_version_counts_changes_of_the_profile_only(progress: InMemory) -> None:
    assert (await progress.change(bio="New")).student.version == 2
    assert (await progress.change(bio="New", name="Ada")).student.version == 2
    assert (await progress.credit()).version == 2
    assert (await progress.change(name="Countess")).student.version == 3
    assert (await progress.change(avatar_url=PICTURE)).student.version == 4
    assert (await progress.person()).updated_at == NOW


async def test_the_picture_of_the_profile_is_the_person_s(progress: InMemory) -> None:
    assert (await progress.change(avatar_url=PICTURE)).avatar_url == PICTURE
    assert (await progress.person()).image == PICTURE
    assert (await progress.change(avatar_url="")).avatar_url is None
    assert (await progress.person()).image is None


async def test_a_picture_from_elsewhere_stays_hidden_and_is_left_alone(progress: InMemory) -> None:
    elsewhere = replace(await progress.person(), image="data:image/png;base64,AAAA")
    await progress.transact(lambda work: work.save_user(elsewhere))
    assert (await progress.change(bio="New")).avatar_url is None
    assert (await progress.person()).image == elsewhere.image


async def test_whoever_read_another_version_is_refused(progress: InMemory) -> None:
    first = (await progress.change(bio="One")).version
    second = (await progress.change(first, bio="Two")).version
    with pytest.raises(ProfileChanged) as refused:
        await progress.change(first, bio="Three")
    assert refused.value.current_version == second
    assert (await progress.change(second, bio="Three")).student.bio == "Three"


async def test_whoever_read_the_person_as_it_was_is_refused(progress: InMemory) -> None:
    """What the profile shows of the person may be changed elsewhere."""
    read = (await progress.change(bio="One")).version
    renamed = replace(await progress.person(), name="Countess", updated_at=progress.clock.advance(seconds=1))
    await progress.transact(lambda work: work.save_user(renamed))
    with pytest.raises(ProfileChanged):
        await progress.change(read, bio="Two")


@given(st.integers(1, 10**6), st.integers(0, 5), st.timedeltas(timedelta(0), timedelta(days=9000)), st.booleans())
def test_a_version_grows_with_the_row_and_with_the_person(version: int, more: int, at: timedelta, later: bool) -> None:
    before, after = replace(ADA, version=version), replace(ADA, version=version + more)
    first = profile_version(before, NOW + at)
    then = profile_version(after, NOW + at + timedelta(microseconds=later))
    assert then - first == more + later
    assert 0 < then < 2**53


async def test_nobody_changes_the_profile_of_another(progress: InMemory) -> None:
    await progress.change(bio="Mine", username="mine", actor=BOB)
    assert (await progress.standing()).student.bio == ""
    assert (await progress.person()).username == "ada"


async def test_somebody_who_is_not_there_has_no_profile(progress: InMemory) -> None:
    progress.store.tables["users"].clear()
    with pytest.raises(UserNotFound):
        await progress.change(bio="Nobody")


def test_when_the_clock_may_be_changed_is_told_until_it_may() -> None:
    assert clock_changeable_at(ADA, NOW) is None
    changed = ProfileChange(time_zone="Europe/Berlin").applied_to(ADA, NOW)
    later = NOW + timedelta(hours=24)
    assert clock_changeable_at(changed, NOW) == clock_changeable_at(changed, later - timedelta(microseconds=1)) == later
    assert clock_changeable_at(changed, later) is None
