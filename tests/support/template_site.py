"""Templates of practice for tests of the whole application."""

from __future__ import annotations

from typing import Any

from tests.support.whole_site import WholeSite

TEMPLATES, OFFERED = "/instructor/practice-templates", "/practice-templates"
FULL: dict[str, Any] = {
    "title": "All of it",
    "description": "What it is",
    "difficultyIds": ["dif_hard"],
    "count": 200,
    "source": "unseen",
    "feedback": "deferred",
    "certainty": True,
    "timeLimitSeconds": 600,
    "scoring": {
        "penalty": "0.25",
        "guessNeutral": True,
        "multiple": "halves",
        "noneAllowed": True,
        "ordering": "adjacent_pairs",
    },
}
USUAL: dict[str, Any] = {
    "description": "",
    "topicIds": [],
    "difficultyIds": [],
    "count": 10,
    "source": "all",
    "feedback": "immediate",
    "certainty": False,
    "timeLimitSeconds": None,
    "scoring": None,
}


async def made(site: WholeSite, **fields: Any) -> dict[str, Any]:
    answer = await site.ask(
        "POST", TEMPLATES, "instructor", json={"examPackageId": site.package, "title": "x"} | fields
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def step(site: WholeSite, template: dict[str, Any], name: str, person: str = "instructor") -> dict[str, Any]:
    answer = await site.ask("POST", f"{TEMPLATES}/{template['id']}/{name}", person)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def answered_wrongly(site: WholeSite, session: dict[str, Any], slot: int) -> dict[str, Any]:
    """The right choice of every question is the one that says `b`."""
    (question,) = [each for each in session["questions"] if each["slot"] == slot]
    wrong = next(choice["id"] for choice in question["choices"] if not choice["text"].endswith("b"))
    answer = await site.ask(
        "POST", f"/practice-sessions/{session['id']}/answers", "student", json={"slot": slot, "choiceIds": [wrong]}
    )
    assert answer.status_code == 200, answer.text
    feedback: dict[str, Any] = answer.json()["feedback"]
    return feedback
