"""What a change to an exam package is answered with, and how its names are kept."""

from __future__ import annotations

import pytest

from tests.support.http import assert_problem
from tests.support.package_http import MANAGED, REVISED, added, change, made, pointers
from tests.support.whole_site import WholeSite


async def test_a_change_tells_what_reading_would_tell(whole_site: WholeSite) -> None:
    """The count of questions follows the banks, and whoever goes on changing needs not read first."""
    sums = (await whole_site.ask("GET", f"{MANAGED}/sums", "admin")).json()
    package = await made(whole_site, questionBankIds=sums["questionBankIds"])
    assert package["questionCount"] == sums["questionCount"] > 0
    tag = {"if-match": '"1"'}
    revised = await change(whole_site, package, "instructor", title="Revised", headers=tag)
    assert revised.json() == (await whole_site.ask("GET", f"{REVISED}/{package['id']}", "instructor")).json()
    emptied = await change(whole_site, package, questionBankIds=[], headers={"if-match": revised.headers["etag"]})
    assert (emptied.json()["questionCount"], emptied.headers["etag"]) == (0, '"3"')
    again = await change(whole_site, package, questionBankIds=[], headers={"if-match": emptied.headers["etag"]})
    assert (again.json(), again.headers["etag"]) == (emptied.json(), '"3"')


async def test_titles_are_kept_without_blanks_around_them(whole_site: WholeSite) -> None:
    package = await made(whole_site, title=" \t Cafe\u0301  ")
    assert package["title"] == "Caf\u00e9"
    changed = await change(whole_site, package, title="  Tea ")
    assert (changed.json()["title"], changed.json()["version"]) == ("Tea", 2)
    assert (await change(whole_site, package, title=" Tea\n")).json()["version"] == 2
    tier = await added(whole_site, package, name="  Trial ")
    assert tier["name"] == "Trial"


@pytest.mark.parametrize("slug", ["No Slug", "-", "two--hyphens", "line\n", "a" * 65])
async def test_a_slug_that_is_none_is_told_how_long_one_may_be(whole_site: WholeSite, slug: str) -> None:
    package = await made(whole_site)
    for answer in (
        await whole_site.ask("POST", MANAGED, "admin", json={"slug": slug, "title": "New"}),
        await change(whole_site, package, slug=slug),
    ):
        assert_problem(answer, 422, "request.invalid")
        assert pointers(answer) == ["/slug"]
        assert "64" in answer.json()["errors"][0]["message"]
    longest = f"{package['slug']}-".ljust(64, "a")
    assert (await change(whole_site, package, slug=longest)).json()["slug"] == longest
    document = (await whole_site.ask("GET", "/openapi.json")).json()["components"]["schemas"]
    for name in ("CreateExamPackageRequest", "ChangeExamPackageRequest"):
        assert document[name]["properties"]["slug"]["pattern"] == "^[a-z0-9]+(-[a-z0-9]+)*$"


async def test_staff_are_never_told_that_nothing_changed_when_a_count_did(whole_site: WholeSite) -> None:
    """Publishing and hiding change how many questions a package can draw, and not its version, which the tag tells."""
    sums = (await whole_site.ask("GET", f"{MANAGED}/sums", "admin")).json()
    package = await made(whole_site, questionBankIds=sums["questionBankIds"])
    (bank_id,) = sums["questionBankIds"]
    paths = {f"{MANAGED}/{package['id']}": "admin", f"{REVISED}/{package['id']}": "instructor"}
    tagged = {at: await whole_site.ask("GET", at, person) for at, person in paths.items()}
    hidden = await whole_site.ask(
        "PATCH", f"/instructor/question-banks/{bank_id}", "admin", json={"visibility": "hidden"}
    )
    assert hidden.status_code == 200, hidden.text
    try:
        for at, person in paths.items():
            seen = {"if-none-match": tagged[at].headers["etag"]}
            read = await whole_site.ask("GET", at, person, headers=seen)
            assert read.status_code == 200, at
            assert (tagged[at].json()["questionCount"], read.json()["questionCount"]) == (sums["questionCount"], 0)
            assert read.headers["cache-control"] == "no-store"
    finally:
        await whole_site.ask("PATCH", f"/instructor/question-banks/{bank_id}", "admin", json={"visibility": "visible"})
