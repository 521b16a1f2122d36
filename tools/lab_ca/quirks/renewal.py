"""Renewals: which message servers take, and on what terms (RFC 8894 2.3, 2.4)."""

from tools.lab_ca import request as scep
from tools.lab_ca.authority import DAY_S
from tools.lab_ca.hooks import Hooks
from tools.lab_ca.quirks.request import refused
from tools.lab_ca.request import Asked

RENEWAL = "Renewal"
EARLY_S = 14 * DAY_S  # micromdm's -allowrenew


def _typed(asked: Asked, message_type: str) -> bool:
    return asked.renewal and asked.case.message.message_type == message_type


def _no_challenge(asked: Asked) -> bool:
    return bool(asked.csr and asked.renewal and asked.csr.challenge != asked.challenge)


def _other_subject(asked: Asked) -> bool:
    return bool(asked.csr and asked.renewal and asked.csr.subject != asked.case.signer.subject)


def _early(asked: Asked) -> bool:
    left_s = int(asked.case.signer.not_valid_after.timestamp()) - asked.now_s
    return asked.renewal and left_s > EARLY_S


RENEWALS: dict[str, Hooks] = {
    "renewal-19": Hooks(
        "Renewal is not listed and RenewalReq refused: PKCSReq, signed with the old certificate"
        " (Cisco IOS, Dogtag)",
        words=lambda words: tuple(word for word in words if word != RENEWAL),
        judge=refused(
            lambda asked: asked.case.message.message_type == scep.RENEWAL_REQ,
            "badRequest", "unknown messageType",
        ),
    ),
    "renewal-17": Hooks(
        "a PKCSReq that is signed with a certificate of this CA gets badRequest (OpenXPKI)",
        judge=refused(
            lambda asked: _typed(asked, scep.PKCS_REQ), "badRequest", "a renewal is a RenewalReq"
        ),
    ),
    "renewal-challenge": Hooks(
        "a renewal needs the challenge too (micromdm, step-ca, Ultimate CA Manager)",
        judge=refused(_no_challenge, "badRequest", "the challenge password is wrong"),
    ),
    "renewal-subject": Hooks(
        "a renewal with another subject than the old certificate's gets badRequest (NDES)",
        judge=refused(_other_subject, "badRequest", "the subject differs from the old one"),
    ),
    "renewal-early": Hooks(
        "a renewal more than 14 days before the end gets badRequest (micromdm)",
        judge=refused(_early, "badRequest", "too early: the subject has a certificate"),
    ),
}  # fmt: skip
