"""Values of the fake appliance: its moment, what realms and CAs say, and secrets turned around.

A password is sealed by turning its bytes around, so that a test can see whether a plain one has
leaked.
"""

import base64

from agent.appliance import CaQuestion, Certificate, Fingerprints, RealmStatus
from agent.errors import AgentError

START_S = 1_795_442_700  # 2026-11-23 14:05:00 UTC
IDLE = RealmStatus("nothing", "nothing has been applied for", "-", None, None, 0, 0, None, None)
PENDING = RealmStatus(
    "pending",
    "the CA has not decided",
    "poll 2 of 5",
    START_S + 60,
    "0123456789ABCDEF0123456789ABCDEF",
    1,
    1,
    None,
    None,
)


def seal(plain: str) -> str:
    return f"%^%#{base64.b64encode(plain.encode()[::-1]).decode()}%^%#"


def certificate(subject: str = "CN=router", not_after_s: int = START_S + 86400) -> Certificate:
    return Certificate(b"\x30\x00", subject, "CN=lab CA", "0a", START_S - 60, not_after_s)


PRINTS = CaQuestion((Fingerprints("aa" * 20, "bb" * 32, "CN=lab CA"),))


def hashed(plain: str) -> str:
    turned = plain.encode()[::-1].hex()
    return f"$scrypt$ln=14,r=8,p=1${'S' * 22}${turned[:43]:A<43}"


def error(text: str = "the CA said no") -> AgentError:
    return AgentError("test", text, "the challenge is wrong", "ask the operator", "operator")
