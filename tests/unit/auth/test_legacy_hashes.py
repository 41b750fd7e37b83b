"""Hashes that other systems made open the account once, and are then replaced by ours."""

import threading
from collections.abc import Iterator

import argon2
import bcrypt
import pytest

from adapters.security.passwords import ArgonPasswordHasher
from domain.auth.passwords import canonical_password
from domain.auth.people import NO_PASSWORD
from domain.auth.sessions import InvalidCredentials
from tests.support.auth_builders import a_user, auth_in_memory

# The published vectors of crypt_blowfish.
BCRYPT = {
    "U*U": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "U*U*": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
    "U*U*U": "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored": (
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
    ),
}
# What `hashPassword` of better-auth 1.7.1 made of these, under Node 20.
SCRYPT = {
    "nine clouds over the hill": (
        "fc98011df61c92531aa03e9ca7631787:"
        "e9bb30f03cd46f5bfb4122200120e96da91c8ddf15ac90488f81e8b87575d8e3e8d5dffbc5c477db3b199fd2bd63dbfb"
        "56dde8f7db345bf87cd40f9b9c3f4ae8"
    ),
    "\ufb01anc\u00e9e f\u00fcr \u65e5\u672c \U0001f511": (
        "e237206b717c3283d2f22fa30c2bad14:"
        "5cae7deed24ad1f8739bb035652d65ff3630928210d81ffec6e6a7a617e0273372c939ff32d04dd7a5c455ab6d68f3c8"
        "b039e25107b8cb754db3460d178cd533"
    ),
    "x" * 100: (
        "7d78514130f82e07dc755acd14d105f7:"
        "f6ad204464a925b3b7623cc6c5e49d3ec90a8313e22e98e3144c511b722266844bb535200179d207c0febf524d4a3e6c"
        "b71fa8fb7bf0977274aee67e2d8e220b"
    ),
}
SALT = "CCCCCCCCCCCCCCCCCCCCC."
DIGEST = "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


@pytest.fixture
def hasher() -> Iterator[ArgonPasswordHasher]:
    hasher = ArgonPasswordHasher(memory_kib=8, passes=1)
    yield hasher
    hasher.close()


@pytest.mark.parametrize(("password", "kept"), [*BCRYPT.items(), *SCRYPT.items()])
async def test_what_another_system_hashed_opens_for_its_password_only(
    hasher: ArgonPasswordHasher, password: str, kept: str
) -> None:
    assert await hasher.matches(canonical_password(password), kept)
    assert not await hasher.matches(canonical_password(password.swapcase()), kept)


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
async def test_every_version_of_bcrypt_that_is_in_use_is_read(hasher: ArgonPasswordHasher, version: str) -> None:
    kept = f"${version}$05${SALT}{DIGEST}"
    assert await hasher.matches("U*U", kept)
    assert not await hasher.matches("U*V", kept)


async def test_bcrypt_reads_72_bytes_and_our_own_hash_then_reads_them_all(hasher: ArgonPasswordHasher) -> None:
    password = "\u00fc" * 36
    kept = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    assert await hasher.matches(password + " and a tail", kept)
    assert not await hasher.matches("\u00fc" * 35 + "u and a tail", kept)
    ours = await hasher.hash(password + " and a tail")
    assert not await hasher.matches(password + " and another", ours)


@pytest.mark.parametrize("kept", [*BCRYPT.values(), *SCRYPT.values()])
async def test_every_such_hash_is_outdated_and_what_replaces_it_is_not(hasher: ArgonPasswordHasher, kept: str) -> None:
    assert hasher.is_outdated(kept)
    ours = await hasher.hash("a password")
    assert argon2.extract_parameters(ours).type is argon2.Type.ID
    assert not hasher.is_outdated(ours)


async def test_such_hashes_are_checked_in_the_hashing_thread(
    hasher: ArgonPasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()

    def checked(*_: object, **__: object) -> bytes | bool:
        seen.add(threading.current_thread().name)
        return b""

    monkeypatch.setattr("bcrypt.checkpw", checked)
    monkeypatch.setattr("hashlib.scrypt", checked)
    for kept in (*BCRYPT.values(), *SCRYPT.values()):
        assert not await hasher.matches("a password", kept)
    assert seen == {"argon2_0"}


ARGON2 = "$argon2id$v=19$m={m},t={t},p={p}$c29tZXNhbHRzb21lc2FsdA$UNXgJ6vMNKQLlmxqSSxgAUNXgJ6vMNKQLlmxqSSxgAU"
PLANTED = {
    "no password": NO_PASSWORD,
    "bcrypt above the highest cost": f"$2b$15${SALT}{DIGEST}",
    "bcrypt for ever": f"$2b$31${SALT}{DIGEST}",
    "bcrypt below the lowest cost": f"$2b$03${SALT}{DIGEST}",
    "bcrypt with the flaw of 2011": f"$2x$05${SALT}{DIGEST}",
    "bcrypt cut off": f"$2b$05${SALT}{DIGEST[:-1]}",
    "bcrypt with a salt of too many bits": f"$2b$05${SALT[:-1]}b{DIGEST}",
    "bcrypt and a line": f"$2b$05${SALT}{DIGEST}\n",
    "bcrypt in other digits": f"$2b$\u0660\u0665${SALT}{DIGEST}",
    "scrypt cut off": next(iter(SCRYPT.values()))[:-1],
    "scrypt without a salt": ":" + "0" * 128,
    "scrypt of no letters": "g" * 32 + ":" + "0" * 128,
    "scrypt and more": next(iter(SCRYPT.values())) + ":0",
    "Argon2 above the highest memory": ARGON2.format(m=1_048_577, t=1, p=1),
    "Argon2 for ever": ARGON2.format(m=8, t=21, p=1),
    "Argon2 in too many lanes": ARGON2.format(m=72, t=1, p=9),
    "Argon2 with less memory than lanes": ARGON2.format(m=8, t=1, p=4),
    "Argon2 with nonsense for a salt": "$argon2id$v=19$m=8,t=1,p=1$%%%%$%%%%",
    "Argon2 in Greek": "$argon2id$v=19$m=8,t=1,p=1$\u03b1\u03b2\u03b3$\u03b1\u03b2\u03b3",
    "NUL": "\0" + next(iter(BCRYPT.values())),
}


@pytest.mark.parametrize("kept", PLANTED.values(), ids=PLANTED)
async def test_what_cannot_be_read_opens_nothing_at_the_cost_of_one_check(
    hasher: ArgonPasswordHasher, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """Argon2 runs once, with today's parameters: neither at once nor for ever."""
    runs: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, kept: str, password: str) -> bool:
        try:
            return bool(verify(self, kept, password))
        except argon2.exceptions.VerifyMismatchError:
            runs.append(kept)
            raise

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    assert not await hasher.matches("U*U", kept)
    assert len(runs) == 1
    parameters = argon2.extract_parameters(runs[0])
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (8, 1, 1)
    assert hasher.is_outdated(kept)


@pytest.mark.parametrize(("password", "kept"), [*list(BCRYPT.items())[3:], *list(SCRYPT.items())[:1]])
async def test_signing_in_with_such_a_hash_replaces_it_by_one_of_ours(
    hasher: ArgonPasswordHasher, password: str, kept: str
) -> None:
    auth = auth_in_memory()
    await auth.add(a_user(password_hash=kept))
    auth.hasher = hasher  # type: ignore[assignment]
    with pytest.raises(InvalidCredentials):
        await auth.enter(password="?" + password)
    assert auth.store.tables["users"]["usr_ada"].password_hash == kept
    await auth.enter(password=password)
    ours = auth.store.tables["users"]["usr_ada"].password_hash
    assert ours.startswith("$argon2id$")
    assert not hasher.is_outdated(ours)
    assert await auth.enter(password=password)
    assert auth.store.tables["users"]["usr_ada"].password_hash == ours
