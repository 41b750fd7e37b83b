"""Compile src/domain/auth/common-passwords.txt from lists of passwords that were met often, most frequent first.

    python scripts/common_passwords.py LIST…

A list is plain text or gzip with one password a line (Django has one: django/contrib/auth/common-passwords.txt.gz), or
the `frequency_lists.py` of the package zxcvbn, which names its ranking "passwords". Both were counted in published
breaches. Take the packages from a virtual environment of their own; the project does not depend on them.

A password's place is the best that any list gives it, and the list below comes before them all. What is shorter than
any password may be is left out, for length alone refuses it; so is what a web page has left its marks on, as in
`&hearts:`, for nobody knows what was typed.
"""

import gzip
import re
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from domain.auth.common_passwords import folded  # noqa: E402
from domain.auth.passwords import MAX_PASSWORD_LENGTH, SHORTEST_PASSWORD  # noqa: E402

TARGET = ROOT / "src" / "domain" / "auth" / "common-passwords.txt"
KEPT = 10_000
_ESCAPED = re.compile(r"&(#\d+|#x[0-9a-f]+|[a-z]+)[:;]")
# What people type first when a form asks for eight characters, whatever the lists know of it.
OUR_OWN = """
    00000000 000000000000000 11111111 111111111 1111111111 111111111111111 12121212 12312312 123123123
    123123123123123 12341234 1234512345 12345678 123456789 1234567890 123456789012345 1234567890123456
    12345678901234567890 12345678910 123456789123456789 123456789a 1234qwer 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y7u8i
    1qaz2wsx 1qaz2wsx3edc4rfv 1qazxsw2 22222222 33333333 44444444 55555555 66666666 77777777 87654321 88888888
    987654321 9876543210 99999999 a1234567 a1b2c3d4 aa123456 aaaaaaaa aaaaaaaaaaaaaaa abc12345 abcd1234 abcdefgh
    abcdefghi abcdefghijklmno abcdefghijklmnop abcdefghijklmnopqrstuvwxyz access14 admin123 admin1234
    administrator administrator1 administrator123 asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl;' asdfghjklasdfghjkl
    baseball basketball changeme changeme123 computer corvette default123 football
    iloveyou iloveyou1 iloveyouiloveyou internet letmein1 letmein123 letmeinletmein liverpool masterkey mustang1
    p@ssw0rd p@ssword pa55word passw0rd password password! password1 password1! password11 password12
    password123 password1234 passwordpassword passwort princess q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6u7i8 qazwsxedc
    qwer1234 qwerasdf qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyqwerty qwertyui qwertyuiop
    qwertyuiopasdfgh qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertyuiopqwertyuiop secret123 starwars
    sunshine superman superuser test1234 testtest trustno1 welcome1 welcome123 whatever zaq12wsx zxcvbnm,./ zxcvbnm1
    zxcvbnm123
"""


def main(paths: list[str]) -> None:
    if not paths:
        sys.exit(__doc__)
    rankings = [OUR_OWN.split(), *(_ranking(Path(path)) for path in paths)]
    places: dict[str, int] = {}
    for ranking in rankings:
        for place, password in enumerate(ranking):
            word = folded(password)
            if SHORTEST_PASSWORD <= len(word) <= MAX_PASSWORD_LENGTH and _is_typed(word):
                places[word] = min(place, places.get(word, place))
    ours = dict.fromkeys(map(folded, OUR_OWN.split()))
    others = sorted(places.keys() - ours, key=lambda word: (places[word], word))
    chosen = [*ours, *others][:KEPT]
    TARGET.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    print(f"{len(chosen)} of {len(places)} passwords are in {TARGET.relative_to(ROOT)}")


def _is_typed(word: str) -> bool:
    return word.isprintable() and not _ESCAPED.search(word)


def _ranking(path: Path) -> list[str]:
    if path.suffix == ".py":
        ranking: list[str] = runpy.run_path(str(path))["FREQUENCY_LISTS"]["passwords"]
        return ranking
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return text.splitlines()


main(sys.argv[1:])
