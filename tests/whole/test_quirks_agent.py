"""The agent at the lab CA with each of its quirks: it finishes, or says honestly what to type.

A row says what the operator of a device meets at such a CA and how it ends. Where the first attempt
is refused, the refusal has the row's code, its next step names what the row then types, and that
leads to success; or the row says why nothing can. What is typed beyond `SETTINGS` is what such a CA
costs: mostly nothing.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from agent.catalogue.table import CATALOGUE
from tests.helpers.board import Agent
from tests.helpers.labca_seen import CHALLENGE, PLAIN, Base, serving
from tests.helpers.labca_visit import (
    Visit,
    Way,
    approve,
    busy,
    crl,
    enrol,
    half_a_day_passes,
    hand_over,
    held_now,
    next_ca,
    poll,
    poll_a_new_ra,
    renew,
    renew_another_name,
    roll_over,
    set_clock,
)
from tools.lab_ca.authority import DAY_S, Plan
from tools.lab_ca.quirks import QUIRKS

LOCKED, MANUAL = Base(challenge=CHALLENGE), Base(manual=True)
WITH_RA, CHAINED = Base(Plan(ra=True)), Base(Plan(chain=True))
FOLLOWED = Base(following=True)
NEAR_END = Base(life_s=14 * DAY_S + DAY_S // 2)  # half a day before micromdm renews
SETTINGS = ("entity r1", "rsa local-key-pair k1")
GET_CERT = "pki get-certificate local realm {realm} serial-number {serial}"
IMPORT = "pki import-certificate local realm {realm} pem filename by-hand.cer"


class Row(NamedTuple):
    """At a CA with a quirk: the way, what is typed for it beyond SETTINGS, and how it ends.

    code, steps, meanwhile: the first attempt is refused so; the steps are typed, or somebody does
    something; then the way (or `again`) succeeds. why: it does not, and this is the reason.
    """

    way: Way = enrol
    base: Base = PLAIN
    realm: tuple[str, ...] = ()
    code: str = ""
    steps: tuple[str, ...] = ()
    meanwhile: Callable[[Visit], None] | None = None
    again: Way | None = None
    why: str = ""
    with_quirks: tuple[str, ...] = ()  # others beside it, where it shows with them only
    later: bool = False  # the way switches it on


def at_ra(*realm: str) -> Row:
    return Row(base=WITH_RA, realm=("enrollment-url {url} ra", *realm))


def wrong_password(code: str) -> Row:
    """How such a CA refuses is seen when it refuses."""
    wrong = ("password cipher wrong",)
    return Row(base=LOCKED, realm=wrong, code=code, steps=(f"password cipher {CHALLENGE}",))


def by_get(**ends: str | tuple[str, ...]) -> Row:
    """Nothing is listed, so requests go by GET."""
    return Row(with_quirks=("caps-none",), **ends)  # type: ignore[arg-type]


AS_IT_IS = Row()
POST_INSTEAD = ("compatibility http-post",)
THE_NEXT_ONE = ("fingerprint sha256 {pin}",)

CAPABILITIES = dict.fromkeys(
    (
        *("caps-none", "caps-closed", "caps-html", "caps-empty", "caps-type", "caps-crlf"),
        *("caps-no-newline", "caps-lower-case", "caps-standard-only", "caps-more"),
        *("caps-micromdm", "caps-old-ndes"),
    ),
    AS_IT_IS,
)

CA_SETS = {
    **dict.fromkeys(
        ("ra-order-ecs", "ra-order-sec", "ra-order-sce", "ra-order-ces", "ra-usage-none"), at_ra()
    ),
    "ra-purpose-cmc": at_ra(),
    "ra-purpose-none": Row(
        base=WITH_RA,
        realm=("enrollment-url {url} ra",),
        code="ra-purpose",
        steps=("compatibility ra-any-purpose",),
    ),
    "ra-purpose-any": Row(
        base=WITH_RA,
        realm=("enrollment-url {url} times 3 ra",),
        code="ra-purpose",
        steps=("enrollment-url {url} times 3 ra fingerprint sha256 {ra}",),
    ),
    "ra-order-cse": Row(
        base=WITH_RA, code="certrep-signer", steps=("enrollment-url {url} ra",)
    ),
    "ra-decrypter": Row(
        base=WITH_RA, code="ca-badMessageCheck", steps=("enrollment-url {url} ra",)
    ),
    "ra-renewed": Row(
        poll_a_new_ra, Base(Plan(ra=True), manual=True), ("enrollment-url {url} ra",), later=True
    ),
    **dict.fromkeys(("ca-usage-signs-only", "ca-usage-one-bit", "ca-usage-none"), AS_IT_IS),
    **dict.fromkeys(
        ("issuer-short", "root-absent", "root-first", "set-typed-single"), Row(base=CHAINED)
    ),
    **dict.fromkeys(("ca-generations", "ca-crossed"), AS_IT_IS),
    **dict.fromkeys(("single-as-set", "single-typed-set"), AS_IT_IS),
    **dict.fromkeys(("ca-pem", "ca-base64", "ca-white-space"), AS_IT_IS),
    "next-listed-404": Row(
        next_ca, FOLLOWED, code="next-ca-none", why="it lists GetNextCACert and has none"
    ),
    "next-listed-early": Row(next_ca, code="next-ca-none", why="there is no next CA yet"),
    # Nobody can be believed; once the CA has changed, its operator knows the fingerprint.
    **dict.fromkeys(
        ("next-unsigned", "next-outside"),
        Row(next_ca, FOLLOWED, (), "next-ca-malformed", THE_NEXT_ONE, roll_over, renew),
    ),
    "next-type": Row(next_ca, FOLLOWED),
}  # fmt: skip

ELSEWHERE = "the place that it names is for the operator to judge, and does not exist in the lab"
TRANSPORT = {
    "get-only": AS_IT_IS,
    "post-only": by_get(code="http-method", steps=POST_INSTEAD),
    "ca-name-wanted": Row(code="http-not-found", steps=("ca id LabCA",)),
    "message-refused": Row(
        realm=("ca id CAIdentifier",), code="http-not-found", steps=("undo ca id",)
    ),
    "message-wanted": Row(code="http-not-found", steps=("compatibility ca-id-empty",)),
    "path-mscep": Row(
        code="http-not-found", steps=("enrollment-url {host}/certsrv/mscep/mscep.dll",)
    ),
    "query-wanted": Row(
        code="http-not-found", steps=(r"enrollment-url esc {url}\x3ftenant=lab",)
    ),
    "query-limit": by_get(code="http-query", steps=POST_INSTEAD),
    **dict.fromkeys(("host-wanted", "type-wanted", "der-only"), AS_IT_IS),
    "base64url": by_get(code="http-query", steps=POST_INSTEAD),
    "escapes-wanted": by_get(),
    **dict.fromkeys(
        ("no-reason", "chunked", "until-closed", "http-1.0", "interim", "length-list",
         "packed-gzip", "packed-deflate", "line-end-behind"), AS_IT_IS
    ),
    **dict.fromkeys(("type-charset", "type-html", "type-missing"), AS_IT_IS),
    **dict.fromkeys(("redirect-https", "redirect-307"), Row(code="http-redirect", why=ELSEWHERE)),
    **dict.fromkeys(("empty-once", "busy-once"), Row(busy)),
}  # fmt: skip

REQUESTS = {
    "printable-challenge": Row(base=LOCKED),
    **dict.fromkeys(
        ("sorted-sets", "plain-id", "id-once", "signer-subject", "serial-limit"), AS_IT_IS
    ),
    "clock-checked": Row(code="ca-badTime", meanwhile=set_clock),
    "old-algorithms": Row(
        code="ca-badMessageCheck",
        steps=(
            "enrollment-request encryption-algorithm 3des",
            "enrollment-request signature message-digest-method sha1",
        ),
    ),
    "weak-refused": Row(
        realm=("enrollment-request signature message-digest-method md5",),
        code="certrep-weak-signature",  # its badAlg is signed with MD5 as well
        steps=("enrollment-request signature message-digest-method sha-256",),
    ),
    "template-wanted": Row(
        code="ca-badRequest",
        why="which template a device gets is for the CA to say (NDES: its registry keys)",
    ),
    "sid-wanted": Row(
        code="ca-badRequest",
        why="a security identifier is that of a Windows account, which no router has",
    ),
    "challenge-once": Row(renew, LOCKED),  # the second time without it
}

REPLIES = {
    **dict.fromkeys(
        ("legacy-reply", "reply-des"),
        Row(code="certrep-weak-cipher", steps=("weak-algorithm des",)),
    ),
    **dict.fromkeys(
        ("reply-3des", "reply-aes256", "reply-sha1", "named-digest", "oaep"), AS_IT_IS
    ),
    "aes-garbled": Row(
        code="cannot-decrypt", steps=("enrollment-request encryption-algorithm 3des",)
    ),
    "password-recipient": Row(
        base=LOCKED, code="certrep-password",
        why="that is for keys that cannot decrypt, and under a password it can be guessed at",
    ),
    **dict.fromkeys(
        ("no-certificates", "leaf-first", "inner-chain", "signer-key-id", "subject-rewritten"),
        AS_IT_IS,
    ),
    **dict.fromkeys(
        ("more-attributes", "content-named", "no-sender-nonce", "nonce-echoed"), AS_IT_IS
    ),
    "no-content-type": Row(
        code="certrep-signature",
        why="CMS demands it among signed attributes (RFC 5652 11.1); OpenXPKI has it since 2020",
    ),
    "nonce-truncated": Row(code="certrep-nonce-short", steps=("compatibility short-nonce",)),
    "hresult": wrong_password("ndes-challenge"),
    **dict.fromkeys(("fail-info-missing", "fail-info-unknown"), wrong_password("ca-failure")),
    **dict.fromkeys(("empty-content", "zero-content"), wrong_password("ca-badRequest")),
    **dict.fromkeys(("constructed-content", "ber"), AS_IT_IS),
    **dict.fromkeys(("failure-500", "failure-json"), wrong_password("http-failed")),
    "failure-400": wrong_password("http-refused"),
    "queries-500": Row(crl, code="crl-not-offered", steps=("cdp-url {host}/ca.crl",)),
}  # fmt: skip

POLLING = {
    "waiting-success": Row(enrol, MANUAL, code="certrep-empty", meanwhile=approve),
    "waiting-failure": Row(
        enrol, MANUAL, code="ca-badRequest", meanwhile=hand_over, steps=(IMPORT,), again=held_now
    ),
    "poll-failure": Row(poll, MANUAL, code="ca-denied", steps=(GET_CERT,), again=held_now),
    "pending-chain": Row(poll, Base(Plan(chain=True), manual=True)),
    "poll-500": Row(
        poll, MANUAL, ("enrollment-url {url} times 2",), code="http-failed", again=enrol
    ),
    "poll-unknown": Row(poll, MANUAL),
}

RENEWALS = {
    **dict.fromkeys(("renewal-19", "renewal-17"), Row(renew)),
    "renewal-subject": Row(
        renew_another_name,
        code="ca-renewal-refused",
        steps=("compatibility renew-by-pkcsreq",),
        again=enrol,
    ),
    "renewal-challenge": Row(
        renew, LOCKED, code="ca-renewal-refused", steps=("compatibility renew-with-password",)
    ),
    "renewal-early": Row(renew, NEAR_END, code="ca-renewal-refused", meanwhile=half_a_day_passes),
}

ROWS: dict[str, Row] = CAPABILITIES | CA_SETS | TRANSPORT | REQUESTS | REPLIES | POLLING | RENEWALS


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with Agent(tmp_path_factory.mktemp("quirks")) as found:
        found.must(
            *("system-view", "pki entity r1", "common-name r1.example", "country DE"),
            *("organization Lab", "fqdn r1.example", "quit", "pki rsa local-key-pair create k1"),
        )
        yield found


def test_every_quirk_has_its_row() -> None:
    assert set(ROWS) == set(QUIRKS)
    for name, row in ROWS.items():
        assert not (row.why and (row.steps or row.meanwhile or row.again)), name
        assert bool(row.code) == bool(row.why or row.steps or row.meanwhile or row.again), name


@pytest.mark.parametrize("name", QUIRKS)
def test_a_ca_with(agent: Agent, name: str) -> None:
    row = ROWS[name]
    quirks = () if row.later else (name, *row.with_quirks)
    with serving(row.base, *(QUIRKS[one] for one in quirks)) as lab:
        visit = Visit(agent, lab, name)
        try:
            _go(visit, row)
        finally:
            agent.script("system-view", f"undo pki realm {name}", "y")


def _go(visit: Visit, row: Row) -> None:
    password = (f"password cipher {row.base.challenge}",) if row.base.challenge else ()
    visit.type(*SETTINGS, "enrollment-url {url}", *THE_NEXT_ONE, *password, *row.realm)
    if row.meanwhile is set_clock:
        set_clock(visit, 3600)
    said = row.way(visit)
    if not row.code:
        assert said == ""
        assert len(visit.lab.authority.shelf()) == (2 if row.way is renew else 1)
        return
    _check_refusal(said, row)
    if row.meanwhile:
        row.meanwhile(visit)
    if row.steps:
        visit.type(*row.steps)
    if not row.why:
        assert (row.again or row.way)(visit) == ""


def _check_refusal(said: str, row: Row) -> None:
    """It is the row's, and what its next step names is what is typed next."""
    told = ".+".join(map(re.escape, re.split(r"\{\w+\}", CATALOGUE[row.code].what)))
    assert re.search(f"Error: {told}", said, re.IGNORECASE), said
    step = re.sub(r"realm [\w-]+", "realm {realm}", said[said.index("Next step: ") :])
    named = [
        re.split(r" \.\.\.| (?:FILE)?NAME| http", one)[0] for one in re.findall("`([^`]+)`", step)
    ]
    for typed in row.steps:
        assert any(typed.startswith(one) for one in named), (typed, step)
