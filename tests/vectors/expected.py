"""What comes of each `--hostile` of the lab CA, code by code.

The reasons stand in `rules`; those accepted can make the device do nothing that it should not.
"""

# Of a CertRep, as the job of a child meets it.
_BY_OUTCOME = {
    "certrep-malformed": """
        signers-none signers-two digest-mixed transaction-twice transaction-values transaction-type
        nonce-twice nonce-type nonce-no-value status-twice digest-twice attributes-none
        attributes-many recipients-many text-absent
        inner-kind plain leaf-many cut cut-half trailing doubled unclosed long-length
        length-claimed length-reserved length-many nesting nesting-sets nesting-string elements
        integer-huge oid-huge tag-high null-octets text signed-empty""",
    "certrep-empty": "success-empty success-always",
    "certrep-signature": """
        signature signature-empty signer-key no-digest digest-wrong content-type content-swapped
        content-kind""",
    "certrep-signer": "signer signer-device signer-expired signer-unknown",
    "certrep-weak-signature": "digest-md5",
    "certrep-transaction": "transaction no-transaction",
    "certrep-nonce": "nonce no-nonce nonce-empty nonce-long",
    "certrep-type": "message-type no-message-type message-type-unknown",
    "certrep-status": "no-status status-unknown status-huge",
    "ca-failure": "fail-info-huge",
    "ca-badRequest": "failure-envelope text-escapes",
    "cannot-decrypt": """
        recipient recipient-ca recipients-none key-length key-broken key-short key-huge padding
        block-cut text-empty iv-short inner-garbage inner-other inner-empty inner-trailing
        inner-huge""",
    "issued-key": "key old other-device ca-as-leaf leaf-none",
    "issued-subject": "subject leaf-v1 names",
    "issued-issuer": "issuer issuer-name leaf-signature self-signed",
    "issued-ca": "ca-flag",
    "issued-dates": "expired not-yet dates-backwards",
    "issued-weak": "leaf-md5 leaf-sha1",
    "issued-malformed": "serial-huge serial-negative serial-zero usage-twice",
    "issued-critical": "unknown-critical",
    "pending": "pending-envelope pending-always",
    "issued": "leaf-twice",
}
LIES = {name: outcome for outcome, names in _BY_OUTCOME.items() for name in names.split()}

# Of a whole board whose certificate is in use, where that differs or no single job tells.
_BY_BOARD = {
    "http-too-large": "http-huge http-huge-length http-huge-chunk",
    "http-malformed": """
        http-chunk-size http-headers http-header http-interim http-length-twice http-length-chunked
        http-length-words http-garbage http-other""",
    "answer-too-slow": "http-drip http-drip-header",
    "answer-timeout": "http-never http-stuck",
    "connection-reset": "http-closed http-cut",
    "certrep-malformed": "http-length-short",
    "ca-pin-mismatch": "ca-impostor",
    "ca-set-malformed": "ca-none ca-many ca-garbage ca-cut",
    "next-ca-signer": "next-stranger next-impostor next-itself next-device next-below",
    "next-ca-signature": "next-broken",
    "next-ca-none": "next-none next-device-as-ca",
    "issued-old": "old self-signed",
    "ca-renewal-refused": "failure-envelope text-escapes",
    "issued": """
        caps-downgrade caps-nothing caps-huge caps-lines caps-binary
        ca-appended ca-prepended ca-impostor-appended ca-crowd ca-device ca-device-alone
        ca-older""",  # nobody was followed there yet: it is as it was
}
BOARD = {
    **LIES,
    **{name: outcome for outcome, names in _BY_BOARD.items() for name in names.split()},
}
