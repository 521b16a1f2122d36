"""RFC 8894 as a client has to keep it: each rule, and the tests that prove that it is kept.

What is not kept stands in the same table with its reason, so that nobody takes silence for a yes.
"""

from typing import NamedTuple

import pytest

from tests.helpers.proofs import defined, missing


class Rule(NamedTuple):
    """Section, rule in our words, its level, who proves it (file::test), why not if nobody does."""

    section: str
    rule: str
    level: str
    proofs: tuple[str, ...] = ()
    why_not: str = ""


MUST, SHOULD, MAY = "MUST", "SHOULD", "MAY"
LEAF = "scep/test_trust_certificate"
TRUST, CLIENT, MESSAGES = "scep/test_trust", "scep/test_operations", "scep/test_messages"
GETCERT = "scep/test_getcert"
CASET, DISCOVERY, TRANSPORT = "scep/test_caset", "scep/test_ca_query", "scep/test_transport"
RA = "scep/test_ra"

RULES = (
    Rule("2.1.1", "address, authorisation and identity of the CA come from the configuration", MUST,
         ("jobs/test_maps::test_what_is_missing_is_named",
          "enrolment/test_engine_trust::test_after_a_restart_nobody_can_be_asked")),
    Rule("2.1.2", "a CA certificate without the right keyUsage is taken all the same", SHOULD,
         (f"{RA}::test_an_ra_without_key_usage_will_do_and_the_wrong_one_too",
          "whole/test_enrol_micromdm::test_with_weak_algorithm_des_the_certificate_arrives")),
    Rule("2.2", "the CA certificates are there before any PKIOperation", MUST,
         ("enrolment/test_engine::test_manual_application_from_nothing_to_issued",)),
    Rule("2.2", "the CA certificate is authenticated by a fingerprint of all of it", SHOULD,
         (f"{CASET}::test_the_pin_is_what_the_fingerprint_names",
          "enrolment/test_engine_trust::test_a_wrong_fingerprint_stores_nothing_but_the_outcome",
          "scep/test_impostor::test_a_pin_that_the_fingerprint_does_not_name")),
    Rule("2.2", "intermediate CA certificates are verified before each use", MUST,
         (f"{CASET}::test_intermediates_must_be_in_date", f"{CASET}::test_path_lengths_hold")),
    Rule("2.3", "without a certificate: self-signed, subject and key of the request, PKCSReq", MUST,
         (f"{MESSAGES}::test_the_signer_is_what_rfc_8894_wants",)),
    Rule("2.3", "with one of this CA, and Renewal listed: RenewalReq, signed with it", SHOULD,
         ("enrolment/test_renewal::test_the_way_of_a_renewal",
          "whole/test_renew_lab::test_the_certificate_in_use_renews_itself",
          "whole/test_enrol_micromdm::test_it_renews_by_renewalreq_when_the_password_goes_along",
          "enrolment/test_engine_renewal::test_otherwise_it_is_an_application_from_the_beginning")),
    Rule("2.3", "another CA's certificate signs a renewal", MAY,
         why_not="it would tell one CA who the customers of another are"),
    Rule("2.3", "the chosen certificate's key signs, and that certificate comes along", MUST,
         ("scep/test_renewal::test_signed_by_the_old_certificate",
          "scep/test_renewal::test_a_key_that_is_not_the_certificates_signs_nothing",
          "scep/test_cms_writer::test_openssl_verifies_what_we_sign")),
    Rule("2.4", "the challenge password at first, not with a RenewalReq", SHOULD,
         (f"{MESSAGES}::test_challenge_password",
          "scep/test_renewal::test_signed_by_the_old_certificate")),
    Rule("2.5", "a new key pair at renewal", SHOULD,
         ("scep/test_renewal::test_the_old_key_signs_for_a_new_one",)),
    Rule("2.5", "PENDING: CertPoll, up to a limit of time and count; then from the start", MUST,
         ("enrolment/test_engine::test_pending_polls_by_interval_and_ends_after_times",
          "whole/test_enrol_lab::test_pending_approved_after_two_polls")),
    Rule("2.7", "a list by HTTP first, GetCRL where there is no place", MAY,
         ("device/test_crls::test_where_no_place_is_known_the_ca_is_asked_by_scep",
          "whole/test_crl_lab::test_a_list_by_scep_and_by_http_and_a_certificate_that_is_on_it")),
    Rule("2.9", "GetCACaps, GetCACert, PKCSReq, POST, AES-128-CBC, SHA-256", MUST,
         (f"{CLIENT}::test_issued", f"{CLIENT}::test_get_or_post", f"{CLIENT}::test_the_cipher")),
    Rule("2.9", "GET, triple DES, SHA-1", MAY,
         ("whole/test_enrol_lab::test_get_only", f"{TRUST}::test_ciphers_and_encodings",
          f"{TRUST}::test_weak_signatures_of_the_reply",
          f"{MESSAGES}::test_pkcs10_in_every_digest")),
    Rule("2.9", "no single DES and no MD5, unless the operator of the realm says so", MUST,
         (f"{TRUST}::test_single_des_only_where_it_is_allowed",
          f"{CASET}::test_md5_only_where_it_is_allowed")),
    Rule("3", "a message without messageData has no envelope", MUST,
         (f"{TRUST}::test_success_without_an_envelope",
          "scep/test_cms::test_content_absent_empty_and_one_zero_byte")),
    Rule("3.1", "encrypted, then signed; nothing leaves unencrypted", MUST,
         (f"{MESSAGES}::test_a_pki_message_as_a_ca_reads_it",
          f"{MESSAGES}::test_a_key_that_cannot_encrypt")),
    Rule("3.1", "a password recipient for keys that cannot encrypt", MAY,
         why_not="key pairs of this product are RSA, and a CA without RSA is refused by name"),
    Rule("3.2", "eContentType data, an envelope inside, signed attributes", MUST,
         (f"{MESSAGES}::test_a_pki_message_as_a_ca_reads_it",
          "scep/test_cms::test_attributes_that_cms_demands")),
    Rule("3.2.1", "transactionID, messageType and a fresh senderNonce in each request", MUST,
         (f"{MESSAGES}::test_a_pki_message_as_a_ca_reads_it",
          f"{MESSAGES}::test_nonces_come_from_the_caller")),
    Rule("3.2.1", "a CertRep has pkiStatus and recipientNonce, failInfo when it refuses", MUST,
         (f"{TRUST}::test_attributes", f"{TRUST}::test_refusals")),
    Rule("3.2.1.1", "transactionID: unique PrintableString, the same in all messages", MUST,
         (f"{CLIENT}::test_the_same_request_at_every_retry_and_poll",
          "whole/test_power_cut::test_power_cut_while_the_ca_is_held")),
    Rule("3.2.1.2", "an unknown messageType, pkiStatus or failInfo is an error", MUST,
         (f"{TRUST}::test_attributes", f"{TRUST}::test_refusals")),
    Rule("3.2.1.4", "failInfoText is for people and decides nothing", SHOULD,
         (f"{TRUST}::test_the_words_of_the_ca_are_shown_safely",)),
    Rule("3.2.1.5", "nonces of 16 bytes; a reply with another recipientNonce is refused", MUST,
         (f"{TRUST}::test_attributes",
          f"{TRUST}::test_a_shortened_nonce_where_the_realm_allows_it")),
    Rule("3.2.2", "the encrypted content is data and fits the messageType", MUST,
         ("scep/test_cms::test_encrypted_content_is_data", f"{LEAF}::test_keys",
          f"{TRUST}::test_whatever_is_wrong_with_the_envelope_is_one_error",
          "scep/test_crl_fetch::test_a_reply_holds_exactly_one_list")),
    Rule("3.3.1", "the PKCS#10 has subject, key, and the challenge password where there is one",
         MUST,
         (f"{MESSAGES}::test_attributes_of_the_request",
          "scep/test_names::test_printable_where_the_characters_allow",
          f"{MESSAGES}::test_key_usages",
          "scep/test_names::test_alternative_names_as_asn1crypto_reads_them",
          "scep/test_key_sizes::test_every_size_of_a_key_with_every_digest")),
    Rule("3.3.2", "no chain of nonces over polls; a reply needs no senderNonce", MAY,
         (f"{TRUST}::test_a_reply_without_sender_nonce",)),
    Rule("3.3.2.1", "the leaf is picked by its key, whatever else comes along", MUST,
         (f"{TRUST}::test_certificates_in_any_order_and_strangers_among_them",
          f"{LEAF}::test_keys")),
    Rule("3.3.2.2", "FAILURE and PENDING are read without an envelope", MUST,
         (f"{TRUST}::test_pending_is_read_before_any_certificate", f"{TRUST}::test_refusals")),
    Rule("3.3.3", "CertPoll: the CA's subject, the requested subject", MUST,
         (f"{MESSAGES}::test_what_a_poll_asks_for",)),
    Rule("3.3.4", "GetCert: the CA's subject, the serial number that is asked for", MAY,
         (f"{GETCERT}::test_the_ca_and_the_number_are_named_and_the_answer_is_an_issued_one",
          f"{GETCERT}::test_through_an_ra_it_names_the_ca")),
    Rule("3.3.5", "GetCRL: issuer and serial number of the certificate in use, which signs", MUST,
         ("scep/test_crl_fetch::test_by_scep_signed_with_the_certificate_in_use",)),
    Rule("3.4", "a degenerate SignedData has no content and no signers", MUST,
         ("scep/test_cms::test_degenerate_in_any_order",
          "scep/test_cms::test_openssl_makes_a_degenerate_set")),
    Rule("3.5.2", "capabilities: unknown ones ignored, CRLF and LF, any case, any Content-Type",
         MUST, (f"{DISCOVERY}::test_capabilities",)),
    Rule("3.5.2", "no answer or an error page lists nothing", SHOULD,
         (f"{DISCOVERY}::test_a_server_without_get_ca_caps",)),
    Rule("3.5.2", "SHA-256 and AES-128-CBC are preferred", SHOULD,
         (f"{CLIENT}::test_the_cipher", f"{CLIENT}::test_issued")),
    Rule("4.1", "POST if it is listed", MUST, (f"{CLIENT}::test_get_or_post",)),
    Rule("4.1", "GET: base64 with +, / and = escaped", MUST,
         (f"{TRANSPORT}::test_pki_operation_by_get_escapes_base64",)),
    Rule("4.1", "the path is the one that was typed", SHOULD, (f"{TRANSPORT}::test_urls",)),
    Rule("4.2.1", "one certificate or a degenerate set, told apart by what is there", MUST,
         (f"{DISCOVERY}::test_one_certificate_and_its_record",
          f"{DISCOVERY}::test_a_degenerate_set_keeps_its_order",
          f"{DISCOVERY}::test_ber_of_one_certificate_is_told_apart_from_der")),
    Rule("4.4", "polls keep the transactionID; one request of a realm at a time", MUST,
         (f"{CLIENT}::test_the_same_request_at_every_retry_and_poll",
          "enrolment/test_states::test_pairs_without_a_row_are_refused_and_change_nothing")),
    Rule("4.5", "what GetCert brings is judged like a reply to an application", MUST,
         (f"{GETCERT}::test_what_is_refused", f"{GETCERT}::test_what_a_ca_says_that_has_none")),
    Rule("4.7.1", "the next CA is verified with the current one before any of it counts", MUST,
         ("scep/test_succession::test_what_is_refused",
          "scep/test_succession::test_only_what_was_signed_counts",
          "scep/test_succession::test_what_servers_and_liars_say_about_the_next_ca",
          "whole/test_rollover_lab::test_the_device_follows_the_ca",
          "whole/test_rollover_lab::test_a_ca_that_nobody_named_is_refused")),
    Rule("5.2", "after a break, anew rather than polling", SHOULD,
         why_not="we ask with the old transactionID first: a CA that has issued already would issue"
         " twice or refuse (enrolment/test_engine)"),
    Rule("7.3", "the challenge is a bearer's secret: never before the CA is authenticated", MUST,
         ("whole/test_enrol_lab::test_an_ra_that_the_realm_does_not_say_never_gets_the_challenge",
          "whole/test_enrol_lab::test_three_mistakes_are_three_errors_and_nothing_is_stored")),
    Rule("7.4", "a lost reply leaves a certificate at the CA: it is asked for", SHOULD,
         ("whole/test_power_cut::test_power_cut_while_the_ca_is_held",
          "whole/test_renew_lab::test_power_cut_in_a_renewal_sends_the_same_again",
          "whole/test_getcert_lab::test_a_reply_that_was_lost_is_made_good")),
    Rule("7.5", "forged capabilities lower nothing below the realm's own algorithms", MUST,
         (f"{CLIENT}::test_the_cipher",)),
    Rule("7.10", "HTTP is enough; HTTPS where the realm asks for it", MAY,
         ("whole/test_https::test_a_certificate_through_https",)),
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.section} {rule.rule}")
def test_a_rule_is_proved_or_says_why_not(rule: Rule) -> None:
    assert bool(rule.proofs) != bool(rule.why_not), "either proofs or a reason"
    assert missing(rule.proofs) == []


def test_a_must_is_never_left_out() -> None:
    assert [rule.rule for rule in RULES if rule.level == MUST and not rule.proofs] == []


def test_no_rule_stands_twice_and_a_wrong_name_is_noticed() -> None:
    assert len({(rule.section, rule.rule) for rule in RULES}) == len(RULES)
    assert "test_no_such_thing" not in defined("scep/test_rfc8894")
    assert "missing" not in defined("scep/test_rfc8894")
    assert missing(["scep/test_rfc8894::test_no_such_thing", "test_nowhere::test_x"])
