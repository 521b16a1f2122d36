"""A SCEP CA and RA (RFC 8894) for the demo and the tests. Never for real certificates.

    python -m tools.lab_ca --dir DIR [options]          serve
    python -m tools.lab_ca --dir DIR list               the transactions and where they stand
    python -m tools.lab_ca --dir DIR approve [ID|all]   with --manual: issue at the next poll
    python -m tools.lab_ca --dir DIR deny [ID|all]      with --manual: refuse at the next poll
    python -m tools.lab_ca --dir DIR release            let a held conversation (--hold) go
    python -m tools.lab_ca --dir DIR revoke SERIAL      put a certificate on the CRL
    python -m tools.lab_ca --dir DIR prepare            make the next CA, for GetNextCACert
    python -m tools.lab_ca --dir DIR rollover           the next CA takes over, as it serves

`--quirk NAME` makes it do what a real server does in its own way, `--hostile NAME` what a liar
sends; both may be repeated, and `--help` has a sentence for each name. The CRL is also at /ca.crl.

It shares no code with the product, so that both ends never share a mistake: it is written on
`cryptography` and `asn1crypto`, brings its own BER normaliser, and imports neither agent, hal nor
platforms. It runs as an ordinary user and keeps everything below DIR:

    ca.pem, ca.key              the issuing CA; with --chain also root.pem and root.key
    ra-enc.pem, ra-sig.pem      the two certificates of --ra, each with its .key
    ca-next.pem                 the CA that comes, with its .key; former/ has those that went
    revoked/SERIAL              when a certificate was revoked, in seconds
    issued/SERIAL.pem           every certificate that was issued; SERIAL is 32 hexadecimal digits
    requests/ID.json            one per transactionID (percent-escaped)
    log.jsonl                   one line per HTTP operation, written before the reply leaves
    held, release               who is held, and the wish to let it go

A line of log.jsonl holds: time_ms, operation, method, path, peer, port, messageType, transactionID,
senderNonce, digest, cipher, csr_sha256, signer_sha256, pkiStatus, failInfo, failInfoText,
http_status, held, error. What does not apply is null. messageType, pkiStatus and failInfo are the
names of RFC 8894 (`PKCSReq`, `SUCCESS`, `badRequest`); a messageType without a name stays a number.
A held operation has a line of its own with `held` naming the state, written when it freezes; its
ordinary line follows when it is released, and never when the client has gone.
"""
