"""The CRL of the CA (RFC 5280 5): what the operator revoked, signed when it is asked for."""

from asn1crypto import crl

from tools.lab_ca import algorithms
from tools.lab_ca.authority import DAY_S, Authority


def current(authority: Authority) -> crl.CertificateList:
    """A CRL of this moment, good for a day; its number is the time in seconds."""
    now_s, revoked = authority.now_s(), authority.revoked()
    fields: dict[str, object] = {
        "version": "v2",
        "signature": {"algorithm": "sha256_rsa"},
        "issuer": authority.ca.certificate.subject,
        "this_update": algorithms.asn1_time(now_s),
        "next_update": algorithms.asn1_time(now_s + DAY_S),
        "crl_extensions": [
            {
                "extn_id": "authority_key_identifier",
                "extn_value": {"key_identifier": authority.ca.certificate.key_identifier},
            },
            {"extn_id": "crl_number", "extn_value": now_s},
        ],
    }
    if revoked:
        fields["revoked_certificates"] = [
            {"user_certificate": int(serial, 16), "revocation_date": algorithms.asn1_time(at_s)}
            for serial, at_s in revoked.items()
        ]
    listed = crl.TbsCertList(fields)
    made = crl.CertificateList(
        {
            "tbs_cert_list": listed,
            "signature_algorithm": {"algorithm": "sha256_rsa"},
            "signature": algorithms.sign(authority.ca.key, listed.dump(), "sha256"),
        }
    )
    return crl.CertificateList.load(made.dump(), strict=True)
