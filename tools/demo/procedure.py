"""What is typed: VRP's procedure for a local certificate through SCEP, in parts with headings.

Names that nobody else uses, so that the demo can be run again and again on a board with other
realms: what an earlier run left under these names is removed first.
"""

from typing import NamedTuple

from tools.demo.typist import Answer, Step, Typist

ENTITY, KEY, REALM = "demo-router", "demo-key", "demo"
COMMON_NAME = "router1.example"
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}  # by the number of hexadecimal digits

ALONE = f"{REALM}-alone"  # a realm that nobody applies for

LOCAL = f"display pki certificate local realm {REALM}"
CA = f"display pki certificate ca realm {REALM}"
PUBLIC = f"display pki rsa local-key-pair name {KEY} public"


class Plan(NamedTuple):
    """What differs from one CA to the next. source: what stands behind `source`, or nothing."""

    url: str
    fingerprint: str  # hexadecimal; without it `confirm` answers when the board shows the CA's
    challenge: str
    source: str
    confirm: Answer = "n"


class Part(NamedTuple):
    """Lines that belong together."""

    heading: str
    steps: tuple[Step, ...]


def parts(plan: Plan) -> tuple[Part, ...]:
    """The procedure, in the order of VRP's manual."""
    return (
        Part(
            "Who the certificate is for, and its key pair",
            _lines(
                "system-view",
                "pki file-format pem",
                f"pki entity {ENTITY}",
                f"common-name {COMMON_NAME}",
                "country DE",
                "organization Lab",
                f"fqdn {COMMON_NAME}",
                "quit",
                f"pki rsa local-key-pair create {KEY} modulus 2048",
            ),
        ),
        Part("Which CA, with which key, by which rules", tuple(_realm(plan))),
        Part(
            "The application",
            (
                Step(
                    f"pki enroll-certificate realm {REALM}",
                    () if plan.fingerprint else (plan.confirm,),
                ),
                Step(f"display pki enrollment realm {REALM}"),
                Step("return"),
                Step("save", ("y",)),
            ),
        ),
    )


def alone(plan: Plan) -> tuple[Step, ...]:
    """Another realm, which applies and renews by itself; its key pair does not exist yet."""
    return (
        *_lines("system-view", f"pki realm {ALONE}", f"entity {ENTITY}"),
        *_lines("auto-enroll regenerate updated-effective"),
        *_lines(f"rsa local-key-pair {ALONE}", f"enrollment-url {plan.url}"),
        *_trust(plan),
        *_lines("return", "terminal monitor"),
    )


def _realm(plan: Plan) -> list[Step]:
    """The realm's view."""
    steps = [
        *_lines(f"pki realm {REALM}", f"entity {ENTITY}", f"rsa local-key-pair {KEY}"),
        *_lines("key-usage ike ssl-client", f"enrollment-url {plan.url}"),
        *_lines("enrollment-request signature message-digest-method sha-256"),
    ]
    if plan.source:
        steps.append(Step(f"source {plan.source}"))
    return [*steps, *_trust(plan), Step("quit")]


def _trust(plan: Plan) -> list[Step]:
    """Whom to believe, and how to be believed. The password is asked for twice, without echo."""
    steps = []
    if plan.fingerprint:
        digest = DIGESTS[len(plan.fingerprint)]
        steps.append(Step(f"fingerprint {digest} {plan.fingerprint}"))
    if plan.challenge:
        steps.append(Step("password cipher", (plan.challenge, plan.challenge)))
    return steps


def _lines(*lines: str) -> tuple[Step, ...]:
    return tuple(Step(line) for line in lines)


def leftovers(typist: Typist) -> Part:
    """Removes an earlier run's realm, entity and key pair; no steps when they are not there."""
    configured = typist.type(Step("display current-configuration | include pki")).splitlines()
    stored = typist.type(Step("display pki rsa local-key-pair public | include Name")).split()
    found = (
        (f"pki realm {REALM}" in configured, Step(f"undo pki realm {REALM}", ("y",))),
        (f"pki entity {ENTITY}" in configured, Step(f"undo pki entity {ENTITY}")),
        (KEY in stored, Step(f"pki rsa local-key-pair destroy {KEY}", ("y",))),
    )
    steps = tuple(step for there, step in found if there)
    return Part(
        "Removing what an earlier demo has left",
        (Step("system-view"), *steps, Step("return")) if steps else (),
    )
