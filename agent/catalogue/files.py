"""The rows of the catalogue for files that come in and go out, and for passwords of logins."""

from __future__ import annotations

from agent.catalogue.row import LOCAL, OPERATOR, Row

FILES: dict[str, Row] = {
    "import-unreadable": Row(LOCAL, OPERATOR, "the file cannot be read: {reason}",
        "it is damaged, or in no format that this device reads",
        "check the file: it must be PEM, DER, PKCS#7 or PKCS#12"),
    "import-foreign": Row(LOCAL, OPERATOR, "the file is of no use here: it is {name}",
        "it was made for another tool, or is another file of the same CA", "{remedy}"),
    "import-too-large": Row(LOCAL, OPERATOR, "the file holds {size} bytes, {cap} are allowed",
        "it is another file, or holds more than one chain of certificates",
        "leave out what is not needed and import it again"),
    "import-work": Row(LOCAL, OPERATOR, "opening the file takes {work}, {cap} are allowed",
        "it was made with unusual settings, or to wear this device out",
        "make the file again with fewer rounds of its key derivation"),
    "import-password": Row(LOCAL, OPERATOR, "the file does not open with this password",
        "the password is wrong, or the file is damaged{rare}",
        "type the command again with the right password; an old file can be made again with AES"),
    "import-password-missing": Row(LOCAL, OPERATOR, "the file is encrypted, or damaged",
        "no password was given",
        "type the command again with the password of the file"),
    "import-key-refused": Row(LOCAL, OPERATOR, "the private key in the file cannot be used:"
        " {reason}",
        "this device works with RSA keys of 2048 to 4096 bits",
        "import another one, or type `pki rsa local-key-pair create`"),
    "import-keys": Row(LOCAL, OPERATOR, "the file holds {count} private keys, not one",
        "it is another file, or its key was left out or joined with others",
        "import a file with exactly one private key"),
    "import-other-key": Row(LOCAL, OPERATOR, "the private key in the file is not the realm's",
        "it was made elsewhere",
        "type `pki import rsa-key-pair ...` first, then name that key pair with"
        " `rsa local-key-pair` in the realm view"),
    "import-no-ca": Row(LOCAL, OPERATOR, "the file holds no CA certificate{left_out}",
        "it holds another certificate, or a root without basicConstraints, which counts once a"
        " fingerprint names it",
        "import the certificate of the CA; for such a root type `fingerprint sha256 ...` in the"
        " realm view first"),
    "import-no-key": Row(LOCAL, OPERATOR, "there is no private key for the certificate",
        "the file holds none, and the realm has no key pair",
        "import a file with the private key, or name the key pair with `rsa local-key-pair`"),
    "import-mismatch": Row(LOCAL, OPERATOR, "none of the {count} certificates in the file is for"
        " {key}{left_out}",
        "it was issued for another key pair or another device",
        "name the right pair with `rsa local-key-pair`, or import a file with its private key"),
    "export-format": Row(LOCAL, OPERATOR, "DER holds one certificate and no private key",
        "a private key was asked for", "export as PEM or PKCS#12"),
    "export-password-missing": Row(LOCAL, OPERATOR, "a private key leaves only under a password",
        "no password was given", "type the command again with a password"),
    "export-refused": Row(LOCAL, OPERATOR, "the crypto library does not take this: {reason}",
        "a certificate that is not quite what the standards ask for", "export as PEM"),
    "hash-unreadable": Row(LOCAL, OPERATOR, "the stored password of a user cannot be checked",
        "the configuration was edited, or comes from a newer release",
        "set the password again"),
}  # fmt: skip
