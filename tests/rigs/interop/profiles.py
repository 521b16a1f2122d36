"""Servers that cannot run here, as the lab CA with the switches that make it answer like them.

What is known of them are recorded replies, their sources and reports of their users; a profile is
all of that at once. It proves that the agent finishes with such answers, not with the server.
"""

from typing import NamedTuple

CHALLENGE = "sekret"
SIGNED_19 = "compatibility renew-by-signed-pkcsreq"
NO_NAME = "compatibility ca-id-empty"
SHA1 = "enrollment-request signature message-digest-method sha1"
TRIPLE_DES = "enrollment-request encryption-algorithm 3des"


class Profile(NamedTuple):
    """A server, the options and quirks of the lab CA, and the lines of a realm that finishes.

    renewal: the messageType of a renewal; poll: whether it has PENDING, and says so; no_rollover:
    why it has no GetNextCACert, empty where it has.
    """

    server: str
    quirks: tuple[str, ...]
    renewal: str = "RenewalReq"
    options: tuple[str, ...] = ()
    realm: tuple[str, ...] = ()
    path: str = "/scep"
    poll: bool = True
    no_rollover: str = "it has no GetNextCACert"

    @property
    def ra(self) -> bool:
        return "--ra" in self.options

    @property
    def ra_purpose(self) -> str:
        """What its RA's certificates name, as `tests.helpers.labca_http.ra_purpose` finds it."""
        named = "none" if "ra-purpose-none" in self.quirks else "enrollment agent"
        return named if self.ra else ""

    @property
    def rollover(self) -> bool:
        return not self.no_rollover

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options of the lab CA."""
        return (*self.options, *(word for name in self.quirks for word in ("--quirk", name)))

    def url(self, base: str, prints: str) -> str:
        """What follows `enrollment-url`, for the URL of a lab CA and the SHA-256 of its RA's two
        certificates: where these name no purpose, they are pinned."""
        pinned = f" fingerprint sha256 {prints}" if self.ra_purpose == "none" else ""
        return base.removesuffix("/scep") + self.path + (f" ra{pinned}" if self.ra else "")


PROFILES = (
    Profile(
        "NDES (Windows Server 2012 and later)",
        ("ra-order-sce", "path-mscep", "message-wanted", "printable-challenge", "challenge-once",
         "renewal-subject", "reply-3des", "reply-sha1", "no-certificates", "zero-content",
         "hresult"),
        options=("--ra", "--caps", "POSTPKIOperation Renewal SHA-512 SHA-256 SHA-1 DES3"),
        realm=(NO_NAME,),
        path="/certsrv/mscep/mscep.dll",
    ),
    Profile(
        "NDES (Windows Server 2008)",
        ("caps-old-ndes", "ra-order-ces", "path-mscep", "message-wanted", "printable-challenge",
         "old-algorithms", "reply-3des", "reply-sha1", "no-certificates", "zero-content"),
        options=("--ra",),
        realm=(NO_NAME, SHA1),
        path="/certsrv/mscep/mscep.dll",
    ),
    Profile(
        "EJBCA",
        ("ca-name-wanted", "subject-rewritten", "der-only", "type-charset", "more-attributes"),
        realm=("ca id LabCA",),
        no_rollover="",
    ),
    Profile(
        "OpenXPKI",
        ("root-absent", "ra-usage-none", "ra-purpose-none", "next-listed-early", "type-wanted",
         "host-wanted", "plain-id", "id-once", "oaep", "reply-aes256", "renewal-17"),
        options=("--ra",),
        no_rollover="it lists GetNextCACert also while there is no next CA",
    ),
    Profile(
        "Dogtag",
        ("get-only", "escapes-wanted", "oaep", "reply-3des", "nonce-truncated", "renewal-19",
         "waiting-failure"),
        renewal="PKCSReq",
        options=("--caps", "AES DES3 SHA-1 SHA-256 SHA-512"),
        realm=(f"{SIGNED_19} short-nonce",),
        poll=False,
    ),
    Profile(
        "jscep 3.0, its servlet",
        ("ca-usage-none", "no-reason", "type-charset", "ber", "more-attributes", "reply-3des",
         "reply-sha1", "pending-chain", "next-outside"),
        renewal="PKCSReq",
        options=("--caps", "AES POSTPKIOperation SHA-512 SHA-256 SHA-1 DES3"),
        realm=(SIGNED_19,),
        no_rollover="its next CA stands beside the signature, so it is refused",
    ),
    Profile(
        "Ultimate CA Manager",
        ("single-as-set", "caps-more", "next-listed-404", "until-closed", "sorted-sets",
         "weak-refused", "inner-chain", "renewal-challenge"),
        realm=("compatibility renew-with-password",),
        no_rollover="it lists GetNextCACert and answers 404",
    ),
    Profile(
        "Cisco IOS CA",
        ("caps-closed", "http-1.0", "old-algorithms", "reply-3des", "reply-sha1", "renewal-19"),
        renewal="PKCSReq",
        realm=(SHA1, TRIPLE_DES, SIGNED_19),
        no_rollover="",
    ),
)  # fmt: skip
