"""Kinds of files and answers of strangers: what was tried of each, and what it gets."""

from typing import NamedTuple

FOREIGN = "scep/test_foreign"
ENCODINGS = "scep/test_encodings"
PFX = "scep/test_pfx"
CONTAINER = "scep/test_container"
CERTIFICATE = "scep/test_certificate"
CASET = "scep/test_caset"
CA_QUERY = "scep/test_ca_query"
LISTS = "scep/test_crl_fetch"
LEAF = "scep/test_trust_certificate"


class Kind(NamedTuple):
    """A kind, the inputs that were tried, what each gets, and the tests that say so."""

    kind: str
    inputs: str
    gets: str
    proofs: tuple[str, ...]


KINDS = (
    Kind("octets behind DER", "one NUL, five, a letter, CR LF and NULs",
         "an error that tells how many there are, and at which octet the end is",
         (f"{ENCODINGS}::test_octets_behind_are_counted_and_their_place_is_told",)),
    Kind("OpenSSL's TRUSTED CERTIFICATE", "with CRLF, indented", "its settings are passed over",
         (f"{ENCODINGS}::test_settings_of_trust_behind_a_certificate_are_passed_over",)),
    Kind("keys of other tools", "OpenSSH, PuTTY, JKS, JCEKS, Microsoft's PVK",
         "their name, and the command that converts them",
         (f"{FOREIGN}::test_a_key_of_openssh", f"{FOREIGN}::test_what_it_is_and_what_to_do")),
    Kind("another file", "a public key, a request, a list, a page; in PEM, DER, base64",
         "its name, and where it belongs",
         (f"{FOREIGN}::test_what_it_is_and_what_to_do",
          f"{FOREIGN}::test_other_readers_name_it_too")),
    Kind("PKCS#12 with an odd certificate",
         "a version, a date, a name that no library takes; no certificate at all",
         "the key and the others come in, what was left out is named",
         (f"{PFX}::test_one_odd_certificate_costs_neither_the_key_nor_the_others",
          "scep/test_imports::test_what_was_left_out_is_named_where_it_is_missed")),
    Kind("PKCS#12 and a password", "wrong, missing, an unknown cipher, RC2, no MAC, other versions",
         "wrong is what was tried and did not fit; an unknown cipher is named",
         (f"{PFX}::test_a_wrong_password_is_told_from_an_odd_certificate",
          f"{PFX}::test_an_encryption_that_nobody_knows_is_named_and_no_password_is_called_wrong",
          f"{CONTAINER}::test_pkcs12_of_openssl")),
    Kind("serial numbers", "negative, zero, more than 20 octets",
         "the same refusal by application and by import",
         (f"{LEAF}::test_serial_numbers_that_rfc_5280_does_not_allow",
          "scep/test_imports::test_a_serial_number_that_peers_refuse")),
    Kind("signatures", "RSASSA-PSS with any digest and salt, Ed25519, ECDSA and RSA with SHA-2 and"
         " SHA-3",
         "verified; others are named for leaf, CA, RA, reply and list",
         (f"{CERTIFICATE}::test_signatures_of_openssl",
          f"{LEAF}::test_the_signature_of_a_ca_in_between_that_cannot_be_verified",
          f"{LEAF}::test_the_signature_of_an_ra_that_cannot_be_verified",
          f"{LEAF}::test_the_signature_of_a_reply_that_cannot_be_verified",
          "scep/test_crl_check::test_a_list_whose_signature_cannot_be_verified")),
    Kind("roots that say nothing of themselves", "version 1, version 3 without extensions",
         "an anchor where a fingerprint names it, else none",
         (f"{CASET}::test_a_root_that_says_nothing_of_itself_is_an_anchor",
          f"{CASET}::test_a_root_that_says_nothing_is_none_without_its_fingerprint",
          f"{CA_QUERY}::test_a_root_of_version_1_counts_where_a_fingerprint_names_it")),
    Kind("distribution points", "relative, LDAP, with a blank, a file, https, without a name",
         "passed over; the one that http reaches is taken, else all are named",
         (f"{LISTS}::test_one_bad_point_does_not_cost_the_list",
          f"{LISTS}::test_places_that_are_of_no_use_are_named")),
    Kind("answers that are packed", "gzip, deflate with and without its header; br, zstd, two",
         "unpacked under the caps; others are refused by name",
         ("scep/test_httpcoding::test_an_answer_that_is_packed",
          "scep/test_httpcoding::test_another_coding_is_refused_by_its_name",
          "scep/test_httpcoding::test_a_bomb_is_unpacked_as_far_as_the_cap")),
    Kind("heads of answers", "a length twice on a line, fields that make no sense, no reason",
         "read as one; shown; no hole in the error",
         ("scep/test_transport::test_a_length_that_is_said_again_is_one",
          "scep/test_transport::test_a_field_that_makes_no_sense_is_shown",
          "scep/test_transport::test_a_reason_phrase_that_is_missing_leaves_no_hole")),
    Kind("pages for people", "of WildFly, Flask, libmicrohttpd, IIS; cut, without end",
         "title and text, without tags",
         ("scep/test_text::test_a_page_is_shown_by_its_title_and_text",)),
)  # fmt: skip
