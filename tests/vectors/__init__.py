"""Replies that a liar sends, as bytes in files: `tests/vectors/*.json`, one JSON file a family.

One line is one row:

    name      of the row, unique over all files
    op        the job that meets it (`agent/scep/operations.py`)
    asked     the operation whose answer it is; other questions of the job are answered well
    body      what an honest HTTP answer carries, or
    http      the octets of the whole answer, from the status line on
    job       fields of the job that differ from the usual ones; absent when none does
    outcome   a code of the catalogue; `issued`, `pending` or `ok` where it is accepted
    says      what is wrong with it
    why       why that outcome

`body` and `http` are lists of parts: a text is base64; {"repeat": base64, "times": N};
{"drip": base64} sends the octets one at a time, 50 ms apart, again and again; {"stay": true} keeps
the connection open. A drip and a stay end when the client hangs up.

`desk.json` holds what all rows are about: the keys, which are nobody's, the CA certificate, the
moment, transactionID, senderNonce and the device key under which the tests seal. `python -m
tests.vectors [FAMILY]...` makes the files anew for the desk that is there, by the lab CA and its
tables. Content keys and initial vectors are random, so the bytes differ; the rows do not.
"""
