"""All that can be asked, asked: for tests that search the answers for what must not be told yet."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, product
from typing import Any, Final

import httpx

from application.enrollment.defining import PackageOutline
from tests.support.leak_questions import KINDS, Secret, secret_question
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QuestionSite, question_site_of
from tests.support.whole_site import PASSWORD, Operation, WholeSite

# Operations that show the key of what was answered, and no others do.
TELLING: Final = frozenset(
    ["answerPracticeQuestion", "reviewPracticeSession", "getExamResult", "platformAnswerStudy", "platformReviewQuiz"]
)
# What only staff read, and hold the key by their nature.
FOR_AUTHORS: Final = frozenset(
    {"getQuestion", "getQuestionVersion", "compareQuestionVersions", "exportQuestions", "getQuestionImportRejects"}
)
# Members of an answer that tell right from wrong. Until something is judged they are null, nothing, or not there.
_JUDGED: Final = re.compile(
    r"correct|judged|accura|percent|score|right|wrong|explan|accepted|earned|calibration|[a-z]Mark$|^mark$|^answers$|"
    r"^effectiveAnswers$|^dueCount$|^passProbability$|^passed$"
)
# An estimate has a value before there is any evidence. That nothing moves it too early is found by comparison.
_SAYS_NOTHING: Final = frozenset(
    {"maxMark", "certaintyMaxMark", "passMark", "chanceBelowPassMark", "estimated_percentage", "progress_percentage"}
)
_NEVER: Final = frozenset({"answerKey", "answer_key", "weights", "bands", "accepted", "pinned", "contentHash"})
_NOTHING: Final[Sequence[object]] = (None, 0, "0", [], {})
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{16,}={0,2}")
_JSON: Final = re.compile(r"application/(problem\+)?json")
_PAGES = 3
_DAY: Final = len("2026-01-01")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and to which operation it is one."""

    operation: str
    answer: httpx.Response

    @property
    def place(self) -> str:
        request = self.answer.request
        return f"{self.operation}: {request.method} {request.url.raw_path.decode()} → {self.answer.status_code}"

    @property
    def searched(self) -> str:
        """Head and body as they were sent, and whatever is packed into one of their words."""
        head = " ".join(value for _, value in self.answer.headers.multi_items())
        sent = f"{head} {self.answer.text}"
        return f"{sent} {' '.join(_unpacked(sent))}"

    def members(self) -> Iterator[tuple[str, Any]]:
        """Every member of the body at any depth, with what it holds."""
        if _JSON.match(self.answer.headers.get("content-type", "")) and self.answer.content:
            yield from _members(self.answer.json())


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _unpacked(text: str) -> Iterator[str]:
    for word in set(_OPAQUE.findall(text)):
        try:
            yield base64.urlsafe_b64decode(word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4)).decode("latin-1")
        except binascii.Error:
            continue


@dataclass
class LeakSite:
    """The whole application with a package of secret questions, one of each kind, in a bank of their own."""

    written: QuestionSite
    secrets: dict[str, Secret]
    package: str
    topic: str
    template: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def whole(self) -> WholeSite:
        return self.written.whole

    @property
    def database(self) -> ClonedDatabase:
        return self.whole.database

    async def newcomer(self) -> Student:
        """A student who has answered nothing yet, enrolled in the package."""
        name = f"newcomer{next(self._numbers)}"
        sent = {"email": f"{name}@example.org", "password": PASSWORD, "delivery": "body"}
        registered = await self.whole.client.post("/student/auth/register", json=sent)
        assert registered.status_code == 201, registered.text
        self.whole.tokens[name] = registered.json()["accessToken"]
        enrolled = await self.whole.ask("POST", "/student/enrollments", name, json={"examPackageId": self.package})
        assert enrolled.status_code == 201, enrolled.text
        return Student(self, name, registered.json()["user"]["id"], enrolled.json()["tierId"])

    async def write(self, secret: Secret) -> str:
        """Publishes a question; gives its id."""
        body = {**secret.written, "questionBankId": self.written.bank, "topicId": self.topic}
        created = await self.whole.ask(
            "POST", "/instructor/questions", "instructor", json=body | {"difficultyId": "dif_easy"}
        )
        assert created.status_code == 201, created.text
        question_id: str = created.json()["id"]
        published = await self.whole.ask("POST", f"/instructor/questions/{question_id}/publish", "admin", json={})
        assert published.status_code == 200, published.text
        self.secrets[question_id] = secret
        return question_id

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All that the document of the API tells."""
        return tuple(self.whole.operations())

    def reads(self) -> list[Operation]:
        """Every operation that only reads; one deals a quiz by being read."""
        return [each for each in self.operations if each.method == "GET" and each.id != "platformQuiz"]

    def reads_of_students(self) -> list[Operation]:
        return [operation for operation in self.reads() if not operation.protected or operation.person == "student"]

    def acts_of_students(self) -> list[Operation]:
        """Every operation by which a student changes something, but for the account itself. Those of the practice
        platform answer by letters, and are done in a test of their own.
        """
        acts = (
            each for each in self.operations if each.method != "GET" and each.protected and each.person == "student"
        )
        return [each for each in acts if "/auth/" not in each.path and not each.path.startswith("/api/v1/")]

    async def walk(self, person: str | None, operations: Iterable[Operation], known: Mapping[str, str]) -> list[Told]:
        """What each operation answers: as it stands, with every parameter that it takes, and page after page.

        `known` are the identifiers that somebody has found out; a parameter that nobody knows a value for fails.
        """
        found = []
        for operation in operations:
            of_exams = {"sessionId": known.get("examSessionId", "exs_none")} if "/exam-" in operation.path else {}
            for path in _asked(operation, {**_WORTH_ASKING, **known, **of_exams}):
                found += [each async for each in self._pages(person, operation, path)]
        return found

    async def _pages(self, person: str | None, operation: Operation, path: str) -> AsyncIterator[Told]:
        more = path
        for _ in range(_PAGES):
            told = Told(operation.id, await self.whole.ask("GET", more, person))
            yield told
            cursor = dict(told.members()).get("nextCursor")
            if cursor is None:
                return
            more = f"{path}{'&' if '?' in path else '?'}cursor={cursor}"

    async def upkeep(self) -> None:
        """Every job is carried out that is waiting, whenever it was meant for; and all students are counted anew."""
        await self.whole.container.count_facilities()({})
        self.database.keeper.execute("update procrastinate_jobs set scheduled_at = null where status = 'todo'")
        await self.whole.container.job_worker().run_pending()

    def assert_silent(self, answers: Iterable[Told], opened: Iterable[str] = (), *, judged: bool = False) -> None:
        """Nothing of a key is in any answer, but for `opened` questions where the rule shows it.

        Until something is `judged`, nothing that tells right from wrong has a value either.
        """
        open_questions = set(opened)
        for told in answers:
            may_tell = open_questions if told.operation in TELLING else set()
            searched = told.searched
            for question_id, secret in self.secrets.items():
                if question_id not in may_tell:
                    leaked = [word for word in secret.secrets if word in searched]
                    assert not leaked, f"{told.place} tells {leaked} of a {secret.kind} question"
            members = list(told.members())
            if told.operation in _DESCRIBING:
                continue
            assert _NEVER.isdisjoint(name for name, _ in members), told.place
            if not judged:
                loud = [(name, value) for name, value in members if _judges(name, value)]
                assert not loud, f"{told.place} judges: {loud}"


def _judges(name: str, value: object) -> bool:
    """Whether a member tells right from wrong. False does; 0 counts nothing."""
    if name in _SAYS_NOTHING or not _JUDGED.search(name):
        return False
    if name == "is_earned":
        return value is True
    return value is False or value not in _NOTHING


# They tell what members there are, and give examples.
_DESCRIBING: Final = frozenset({"readOpenapiJson", "readOpenapiYaml", "readDocs"})


@dataclass
class Student:
    """Somebody who practises, and what is asked and told meanwhile."""

    site: LeakSite
    name: str
    id: str
    tier: str
    exam: str | None = None

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.site.whole.ask(method, path, self.name, **options)

    async def begin(self, **wishes: Any) -> dict[str, Any]:
        body = {"examPackageId": self.site.package, "count": 100} | wishes
        created = await self.ask("POST", "/practice-sessions", json=body)
        assert created.status_code == 201, created.text
        session: dict[str, Any] = created.json()
        return session

    async def answer(self, session: Mapping[str, Any], shown: Mapping[str, Any], *, right: bool, **more: Any) -> Told:
        body = self.site.secrets[shown["questionId"]].answer(shown, right=right) | more
        return await self.act(session, "answers", body)

    async def act(
        self, session: Mapping[str, Any], command: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Told:
        """With a key of idempotency it is the unit of work that answers, without one the quick way may."""
        names = {"answers": "answerPracticeQuestion"}
        headers = {"idempotency-key": key} if key else {}
        path = f"/practice-sessions/{session['id']}/{command}"
        answer = await self.ask("POST", path, json=body, headers=headers)
        return Told(names.get(command, command), answer)

    async def review(self, session: Mapping[str, Any]) -> httpx.Response:
        return await self.ask("GET", f"/practice-sessions/{session['id']}/review")

    async def walk(self, session: Mapping[str, Any]) -> list[Told]:
        """All that a student can read, knowing this session and its first question."""
        return await self.site.walk(self.name, self.site.reads_of_students(), self.knows(session))

    def knows(self, session: Mapping[str, Any]) -> dict[str, str]:
        """The identifiers that a student has seen."""
        return {
            "sessionId": session["id"],
            "attemptId": session["id"],
            "questionId": session["questions"][0]["questionId"],
            "examPackageId": self.site.package,
            "questionBankId": self.site.written.bank,
            "topicId": self.site.topic,
            "templateId": self.site.template,
            "tierId": self.tier,
            "userId": self.id,
            "examSessionId": self.exam or "exs_none",
        }


# A value for every parameter of a query or a path that is not an identifier which a student gets to know.
_WORTH_ASKING: Final[Mapping[str, str]] = {
    "limit": "2",
    "weeks": "3",
    "q": "secret",
    "difficultyId": "dif_easy",
    "tag": "ports",
    "bank": "vault",
    "excelSafe": "true",
    "against": "1",
    "version": "1",
    "authorId": "usr_none",
    "actorId": "usr_none",
    "action": "question.published",
    "subject": "qst_none",
    "from": "2026-01-01T00:00:00Z",
    "to": "2099-01-01T00:00:00Z",
    "email": "student@example.org",
    "role": "student",
    "groupId": "grp_none",
    "importId": "imp_none",
    "published": "true",
    "flagged": "true",
    "slot": "1",
    "type": "focus_lost",
    "exam_type": "vault",
    "domain": "Secrets",
    "count": "3",
    "offset": "1",
}


def _asked(operation: Operation, known: Mapping[str, str]) -> Iterator[str]:
    """The operation without what may be left out, and once with each value of that."""
    parameters = [each for each in operation.described.get("parameters", ()) if each["name"] != "cursor"]
    values = {each["name"]: _values(each, known) for each in parameters if each["in"] in {"path", "query"}}
    unknown = sorted(name for name, found in values.items() if not found)
    assert not unknown, f"{operation.id}: tell the walk a value of {unknown}"
    query = {each["name"]: each.get("required", False) for each in parameters if each["in"] == "query"}
    needed = [name for name, required in query.items() if required]
    path = operation.at(**known)
    for chosen in product(*(values[name] for name in needed)):
        whole = dict(zip(needed, chosen, strict=True))
        yield f"{path}?{httpx.QueryParams(whole)}" if whole else path
        for name in sorted(set(query) - set(needed)):
            yield from (f"{path}?{httpx.QueryParams({**whole, name: value})}" for value in values[name])


def _values(parameter: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    """All that it may be, where that is a list; else what is known."""
    schema = parameter["schema"]
    schemas = (schema, *schema.get("allOf", ()), schema.get("items", {}))
    listed = next((each["enum"] for each in schemas if "enum" in each), None)
    name = parameter["name"]
    found = known[name][:_DAY] if name in known and "date" in _formats(schema) else known.get(name)
    return list(listed or ([] if found is None else [found]))


def _formats(schema: Mapping[str, Any]) -> set[str]:
    return {each["format"] for each in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())) if "format" in each}


@asynccontextmanager
async def leak_site_of(database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    """A package `vault` of one question of each kind, written and published as questions are, and a template of it."""
    async with question_site_of(database) as written:
        bank = written.add_bank("vault")
        topic = await _made(written, "/instructor/question-topics", questionBankId=bank, name="Secrets")
        await written.whole.container.define_package()(
            None, PackageOutline(slug="vault", title="Vault", banks=("vault",))
        )
        package = written.value("select id from exam_packages where slug = %s", "vault")
        templates = "/instructor/practice-templates"
        template = await _made(written, templates, examPackageId=package, title="All of it", feedback="deferred")
        published = await written.ask("POST", f"{templates}/{template}/publish", "admin", json={})
        assert published.status_code == 200, published.text
        site = LeakSite(replace(written, bank=bank), {}, package, topic, template)
        for number, kind in enumerate(KINDS, start=1):
            await site.write(secret_question(kind, number))
        yield site


async def _made(written: QuestionSite, path: str, **body: Any) -> str:
    """The id of what an administrator creates."""
    created = await written.ask("POST", path, "admin", json=body)
    assert created.status_code == 201, created.text
    made: str = created.json()["id"]
    return made


# What differs between two that did the same: who and when.
_WHO: Final = re.compile(r"\b(?:usr|ses|enr|rdy|evt)_[0-9a-z]+|\bnewcomer[0-9]+")
_WHEN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
# A version that counts from when its person was changed, in microseconds.
_VERSION_IN_TIME: Final = re.compile(r'"1\d{15}"')
_CLOCKS: Final = re.compile(r'"(?:timeSpentSeconds|remainingSeconds|instance)":(?:-?\d+|null|"[^"]*")')
_RESPONSE: Final = re.compile(r'"response":(?:null|\{(?:[^{}]|\{[^{}]*\})*\})')
_OF_THE_MACHINE: Final = frozenset({"readMetrics"})


def comparable(told: Told) -> str:
    """What an answer says, but for who asked and at which moment."""
    answer = told.answer
    text = _resolved(answer.text)
    # The tag of a body that tells the moment or the caller is another one each time.
    tag = _VERSION_IN_TIME.sub("when", answer.headers.get("etag", "")) if text == answer.text else None
    said = f"{answer.status_code} {tag} {answer.headers.get('location')} {answer.headers.get('link')} {text}"
    return f"{told.operation} {_resolved(answer.request.url.raw_path.decode())} {said}"


def _resolved(text: str) -> str:
    for found, said in ((_CLOCKS, "clock"), (_WHO, "who"), (_WHEN, "when")):
        text = found.sub(said, text)
    return text


def comparables(answers: Iterable[Told]) -> list[str]:
    return [comparable(told) for told in answers if told.operation not in _OF_THE_MACHINE]


def without_responses(answers: Iterable[Told]) -> list[str]:
    """The same but for what the student has answered."""
    return [_RESPONSE.sub("response", said) for said in comparables(answers)]
