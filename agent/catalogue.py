"""What every error says: one row for each code.

Texts name what happened, the likely cause, and the next step with the command to type. They hold no
secret: what is filled in comes from settings that are shown anyway, or from a peer, made harmless.
"""

from agent.catalogue_ca import PUBLISHED
from agent.catalogue_files import FILES
from agent.catalogue_microsoft import MICROSOFT
from agent.catalogue_network import NETWORK
from agent.catalogue_row import LATER, LOCAL, NOW, OPERATOR, PEER, Row

__all__ = ("CATALOGUE", "LATER", "LOCAL", "NOW", "OPERATOR", "PEER")

CATALOGUE: dict[str, Row] = {
    # -- the agent and its processes -----------------------------------------------------------
    "job-answer": Row(LOCAL, LATER, "the worker gave an answer that makes no sense",
                      "a fault in this software, or memory that is failing",
                      "try again; report it if it comes back"),
    "job-died": Row(LOCAL, LATER, "the worker ended without an answer",
                    "it ran into one of its limits (memory, CPU time), or the system is short of"
                    " memory",
                    "look at the agent's log and at the limits in the board file"),
    "job-deadline": Row(LOCAL, LATER, "the work was stopped after {seconds} s",
                        "the name server, the CA or the network does not answer",
                        "check the path to the CA with ping; try again"),
    "job-start": Row(LOCAL, LATER, "the worker could not be started: {reason}",
                     "the system is short of memory or processes", "free memory and try again"),
    "job-fault": Row(LOCAL, OPERATOR, "the worker met a fault in this software: {place}",
                     "input that nobody has thought of",
                     "report it with the line above; the certificate in use is not touched"),
    # -- the start of the agent ------------------------------------------------------------------
    "start-board": Row(LOCAL, OPERATOR, "{what}", "the board file is wrong",
                       "correct it; `platforms/board.py` lists its keys"),
    "start-console": Row(LOCAL, OPERATOR, "{what}",
                         "another agent runs there, or the folder of the console socket is missing"
                         " or not this user's",
                         "use the agent that runs, or name another folder with --state"),
    "start-device-key": Row(LOCAL, OPERATOR, "{what}",
                            "it was damaged, replaced or copied with another owner or mode",
                            "restore it: stored keys and passwords are sealed with it; without a"
                            " copy move it away, and make key pairs and passwords anew"),
    "start-flash": Row(LOCAL, OPERATOR, "{what}",
                       "the folder is full or not writable for this user, the file was cut, or"
                       " [flash] in the board file was changed",
                       "look at the folder's space and owner and at the board file; restore the"
                       " file from a copy, or move it away for an empty one"),
    "start-folder": Row(LOCAL, OPERATOR, "{what}",
                        "it is missing, full, or not accessible for this user",
                        "look at it, and at --state, --config and the paths of the board file"),
    "start-second": Row(LOCAL, OPERATOR, "{what}", "a second agent was started on the same folder",
                        "use the one that runs, with `scep-agent console`; or end it first, or"
                        " name another folder with --state"),
    "start-store": Row(LOCAL, OPERATOR, "the flash: {what}",
                       "the part belongs to something else, or to another release",
                       "restore it from a copy, or move it away for an empty one; nothing was"
                       " written"),
    # -- an application --------------------------------------------------------------------------
    "ca-no-ca": Row(PEER, OPERATOR, "the CA set holds no CA certificate",
                    "the URL is not that of a SCEP server, or only RA certificates were sent",
                    "check `enrollment-url` and `ca id`"),
    "ca-unconfirmed": Row(LOCAL, OPERATOR, "the CA certificate was not confirmed, so nothing was"
                          " sent",
                          "the realm has no `fingerprint`, and nobody compared and accepted it",
                          "get the fingerprint from the CA's operator and type `fingerprint sha256"
                          " ...` in the realm view, or apply again and answer the question"),
    "ca-pin-changed": Row(LOCAL, OPERATOR, "the stored CA is not the one that `fingerprint` names"
                          " now",
                          "`fingerprint` was changed while an application was under way",
                          "apply again with `pki enroll-certificate realm ...`"),
    "ca-expired": Row(PEER, OPERATOR, "the CA certificate of {subject} has expired",
                      "the CA was renewed and the server still shows the old one, or this clock is"
                      " wrong",
                      "check `display clock`; ask the CA's operator for the new fingerprint"),
    "poll-exhausted": Row(PEER, LATER, "the CA has not decided after {polls} polls",
                          "the request waits for a person at the CA",
                          "ask the CA's operator, then apply again: the same request is asked for"
                          " first"),
    "request-aborted": Row(LOCAL, OPERATOR, "the application was ended by the operator",
                           "`pki abort-request` was typed", "apply again when it is wanted"),
    "realm-incomplete": Row(LOCAL, OPERATOR, "realm {realm} is not complete: {missing} is missing",
                            "the procedure was not typed to its end",
                            "type `{command}`"),
    "realm-busy": Row(LOCAL, OPERATOR, "realm {realm} has an application under way ({state})",
                      "it was started earlier and has not ended",
                      "wait for it, or end it with `pki abort-request realm {realm}`"),
    "level-needed": Row(LOCAL, OPERATOR, "this command needs level {wanted}",
                        "this session has level {level}",
                        "let a user of level {wanted} do it"),
    "level-too-low": Row(LOCAL, OPERATOR, "this user may not {what}",
                         "which CA is trusted is decided at level {wanted}, not at level {level}",
                         "let a user of level {wanted} do it"),
    "realm-gone": Row(LOCAL, OPERATOR, "nobody waits for realm {realm} any more",
                      "the realm was removed, or the agent ends",
                      "see `display pki enrollment`; what flash holds goes on after a start"),
    "realm-unknown": Row(LOCAL, OPERATOR, "there is no realm {realm}",
                         "it was never created, or the name is spelt differently",
                         "see `display pki realm`; create it with `pki realm {realm}`"),
    "key-unknown": Row(LOCAL, OPERATOR, "there is no RSA key pair {name}",
                       "it was never created, or the name is spelt differently (case counts)",
                       "see `display pki rsa local-key-pair public`, or type"
                       " `pki rsa local-key-pair create {name}`"),
    "key-case": Row(LOCAL, OPERATOR, "there is no RSA key pair {name}, but {other}",
                    "case counts in the names of key pairs", "type the name as `{other}`"),
    "entity-unknown": Row(LOCAL, OPERATOR, "there is no entity {name}",
                          "it was never created, or the name is spelt differently",
                          "see `display pki entity`; create it with `pki entity {name}`"),
    "entity-nameless": Row(LOCAL, OPERATOR, "entity {name} has no common name",
                           "`common-name` was not typed in its view",
                           "type `pki entity {name}` and `common-name ...`"),
    "entity-address": Row(LOCAL, OPERATOR, "the entity's interface {interface} has no address",
                          "the interface is missing, down, or waits for DHCP",
                          "give it an address, or type `ip-address` with one in the entity view"),
    "key-making": Row(LOCAL, OPERATOR, "key pair {name} is being generated already",
        "another session has typed the same command",
        "wait for it; see `display pki rsa local-key-pair public`"),
    "interfaces-unknown": Row(LOCAL, LATER, "the interfaces cannot be read: {reason}",
        "the system is short of descriptors or memory", "free some and try again"),
    "key-used": Row(LOCAL, OPERATOR, "key pair {name} is used by realm {realm}",
                    "one key pair serves one realm at a time",
                    "type `undo rsa local-key-pair` in realm {realm} first, or use another key"
                    " pair"),
    "store-failed": Row(LOCAL, OPERATOR, "the store did not take the change: {reason}",
                        "the flash is full, worn out or not writable",
                        "see the agent's log; remove realms and key pairs that are not needed"),
    "storage-failed": Row(LOCAL, LATER, "device storage or memory could not be written: {reason}",
                          "the folder is full, missing or not writable for this user",
                          "check the folders in the board file and their free space"),
    # -- imports, exports, the machine -----------------------------------------------------------
    "file-unreadable": Row(LOCAL, OPERATOR, "the file {name} cannot be read: {reason}",
                           "it is not in device storage, or the name is spelt differently",
                           "see `dir`"),
    "file-too-large": Row(LOCAL, OPERATOR, "the file {name} has more than {cap} bytes",
                          "it holds more than certificates and a key", "see `dir`"),
    "certificate-missing": Row(LOCAL, OPERATOR, "realm {realm} has no {kind} certificate",
                               "none was applied for or imported",
                               "type `pki enroll-certificate realm {realm}`, or bring one with"
                               " `pki get-certificate {kind} realm {realm} ...` or"
                               " `pki import-certificate {kind} realm {realm} ...`"),
    "import-invalid": Row(LOCAL, OPERATOR, "the certificate was not imported: {subject}:"
                          " {reason}",
                          "it comes from another CA than the one that this realm trusts, or has"
                          " expired",
                          "see `display pki certificate ca`; import the certificate of its CA"
                          " first"),
    "key-not-exportable": Row(LOCAL, OPERATOR, "key pair {name} may not leave this device",
                              "it was made without exportable, which cannot be added later",
                              "make another one with `pki rsa local-key-pair create ...`; a"
                              " certificate alone is exported in the formats pem and der"),
    "clock-refused": Row(LOCAL, OPERATOR, "the clock cannot be set: {reason}",
                         "this agent may not set the clock of its system, or the RTC refuses",
                         "run it as root, or set the clock of the system itself"),
    "reboot-failed": Row(LOCAL, OPERATOR, "the device does not reboot: {reason}",
                         "the program that the board file names is missing or refuses",
                         "look at [reboot] in the board file"),
    "reboot-refused": Row(LOCAL, OPERATOR, "this board cannot be rebooted from here",
                          "its board file names no program for that",
                          "reboot the system by its own means"),
    # -- the console -----------------------------------------------------------------------------
    "realm-default": Row(LOCAL, OPERATOR, "realm default cannot be removed", "it always exists",
                         "type `pki realm default` and undo its settings there"),
    "entity-used": Row(LOCAL, OPERATOR, "entity {name} is used by realm {realm}",
                       "a realm needs its entity, and the entity a common name",
                       "type `undo entity` in realm {realm} first"),
    "nothing-saved": Row(LOCAL, OPERATOR, "no configuration is saved",
                         "`save` was not typed yet, or the saved one was erased",
                         "type `save` in the user view"),
    "apply-refused": Row(LOCAL, OPERATOR, "nothing was changed: lines that do not apply: {count}",
                         "all of a configuration is applied, or nothing",
                         "correct the lines above; `--dry-run` shows what would change"),
    "apply-level": Row(LOCAL, OPERATOR, "nothing was changed: this user may not change `{line}`",
                       "it takes level {wanted}, and this user has level {level}",
                       "let a user of level {wanted} apply the file"),
    "apply-size": Row(LOCAL, OPERATOR, "nothing was changed: the file is longer than {cap} bytes,"
                      " or holds a NUL",
                      "it is no configuration of this device",
                      "give a file like `display current-configuration` shows it"),
    "size-refused": Row(LOCAL, OPERATOR, "this size of a key is not possible", "{reason}",
                        "type the command again"),
    "password-differs": Row(LOCAL, OPERATOR, "the two passwords differ",
                            "one of them was mistyped", "type the command again"),
    "password-refused": Row(LOCAL, OPERATOR, "this password is not possible", "{reason}",
                            "type the command again"),
    "password-in-plain": Row(LOCAL, OPERATOR, "a password in plain cannot be loaded",
                             "sealing it takes a worker, which does not run while a configuration"
                             " is loaded", "type `{command}` at the console"),
    "login-no-password": Row(LOCAL, OPERATOR,
        "nobody could log in on the serial line: it has no password",
        "`authentication-mode password` asks for the password of the line",
        "type `set authentication password`, or another `authentication-mode`, first"),
    "login-no-user": Row(LOCAL, OPERATOR, "no user of level 3 could log in on the serial line",
        "`authentication-mode aaa` asks for a local user, who needs a password, a level and"
        " service-type terminal",
        "in the view `aaa` type `local-user NAME password irreversible-cipher`, `local-user NAME"
        " privilege level 3` and `local-user NAME service-type terminal`, or type another"
        " `authentication-mode`, first"),
    "user-unknown": Row(LOCAL, OPERATOR, "there is no user {name}",
        "it was never created, or the name is spelt differently",
        "type `display this` in the view `aaa`"),
    "users-full": Row(LOCAL, OPERATOR, "there are {cap} users already", "no more fit",
        "remove one with `undo local-user NAME`"),
    "question-unanswered": Row(LOCAL, OPERATOR, "the question was not answered: nothing done",
                               "in a script the next line must be the answer",
                               "let a line `y` follow the command"),
    "load-action": Row(LOCAL, OPERATOR, "a configuration cannot hold a command that acts",
                       "it is no setting", "type the command at the console"),
    "line-too-long": Row(LOCAL, OPERATOR, "the line is longer than {cap} characters",
                         "no command needs that much", "check where the line should have ended"),
    # -- the CA and its certificates -------------------------------------------------------------
    "ca-set-malformed": Row(PEER, OPERATOR, "the CA certificates cannot be read: {reason}",
        "the URL leads to something else: {page}",
        "check `enrollment-url` and `ca id`"),
    "ca-set-too-large": Row(PEER, OPERATOR, "the CA certificates have {size} bytes, {cap} are"
        " allowed",
        "the server sends more than its own chain, or the URL leads to something else",
        "check `enrollment-url` and `ca id`; ask the CA's operator"),
    "ca-pin-mismatch": Row(PEER, OPERATOR, "no CA certificate has the configured {algorithm}"
        " fingerprint {wanted}; what arrived: {got}",
        "`fingerprint` is wrong, or that of a root that the server does not send (step-ca); or the"
        " CA was renewed, or someone answers in its place",
        "compare with the CA's operator, who knows the fingerprint of the CA that issues; correct"
        " `fingerprint` in the realm view"),
    "ca-pin-missing": Row(LOCAL, OPERATOR, "the pinned CA certificate is not in the stored CA set",
        "the CA set was changed after the CA had been trusted",
        "apply again, so that the CA certificates are fetched anew"),
    "ca-pin-not-ca": Row(PEER, OPERATOR, "the pinned certificate of {subject} is not that of a CA",
        "`fingerprint` names the RA's certificate, or a CA certificate of version 1"
        " without basicConstraints",
        "give the fingerprint of the CA itself with `fingerprint`"),
    "ra-missing": Row(PEER, OPERATOR, "the CA set holds no RA certificate of the pinned CA",
        "`enrollment-url ... ra` is configured, but this server is a CA by itself",
        "type `enrollment-url` without `ra`, or check the URL"),
    "ra-unusable": Row(PEER, OPERATOR, "the RA certificate of {subject} cannot be used: {reason}",
        "the server leaves out a CA between the RA and the pinned one (step-ca:"
        " excludeIntermediate), or another CA has issued it, or nobody has renewed it",
        "ask the CA's operator to send the whole chain, and about the RA; compare `fingerprint`"),
    "ra-not-asked": Row(PEER, LATER, "{what}",
        "the CA set has RA certificates: an RA seems to answer, and it cannot open a request that"
        " was encrypted for the CA",
        "type `enrollment-url ... ra` in the realm view; if that is no RA, ask the CA's operator to"
        " look at its log"),
    "ca-cannot-encrypt": Row(PEER, OPERATOR, "the key of {subject} cannot encrypt: {reason}",
        "SCEP needs an RSA key at the CA or the RA",
        "ask the CA's operator for a SCEP service with an RSA certificate"),
    # -- the reply of the CA (CertRep) -----------------------------------------------------------
    "certrep-malformed": Row(PEER, LATER, "the reply cannot be read: {reason}",
        "the server answered with something that is no SCEP reply: {page}",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-signer": Row(PEER, OPERATOR, "the reply's signer is not trusted: {reason}",
        "the CA or its RA has new certificates, or someone answers in its place",
        "ask the CA's operator; with an RA in front, type `enrollment-url ... ra`; when the CA has"
        " changed since the request, `pki abort-request realm ...` and apply again"),
    "certrep-signature": Row(PEER, LATER, "the reply's signature is wrong: {reason}",
        "the reply was changed on its way, or the CA is faulty",
        "try again; ask the CA's operator if it stays so"),
    "certrep-weak-signature": Row(PEER, OPERATOR, "the reply is signed with {digest}",
        "an old CA, or one that repeats the digest of the request",
        "type `enrollment-request signature message-digest-method sha-256`, or ask for SHA-256 at"
        " the CA; `weak-algorithm {digest}` in the realm view allows it, but then anyone on the"
        " path can forge a reply"),
    "certrep-transaction": Row(PEER, LATER, "the reply belongs to another transaction ({received})",
        "an old reply was sent again, or the CA mixes up its clients",
        "try again; ask the CA's operator if it stays so"),
    "certrep-nonce": Row(PEER, LATER, "the recipientNonce of the reply is not ours",
        "an old reply was sent again",
        "try again; ask the CA's operator if it stays so"),
    "certrep-nonce-short": Row(PEER, OPERATOR, "the recipientNonce of the reply is cut to {size}"
        " octets", "the CA shortens it (Dogtag)",
        "type `compatibility short-nonce` in the realm view, if the CA's operator says so"),
    "certrep-empty": Row(PEER, LATER, "the CA says SUCCESS and sends no certificate",
        "the request waits for a person there (Dogtag says SUCCESS meanwhile)",
        "ask the CA's operator, then apply again: the same request is asked for first"),
    "certrep-type": Row(PEER, LATER, "the reply has messageType {received} instead of 3 (CertRep)",
        "the server is no SCEP server as RFC 8894 wants it",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-status": Row(PEER, LATER, "the reply has the unknown pkiStatus {received}",
        "the server is no SCEP server as RFC 8894 wants it",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-weak-cipher": Row(PEER, OPERATOR, "the reply is encrypted with single DES, which is"
        " not allowed",
        "an old CA, or one whose software always uses DES (micromdm, step-ca's"
        " default)",
        "have the CA use AES; `weak-algorithm des` in the realm view allows it,"
        " but a 56-bit key can be broken by anyone who records the reply"),
    "certrep-cipher": Row(PEER, OPERATOR, "the reply has an unknown encryption: {algorithm}",
        "the CA uses an algorithm that SCEP does not name",
        "ask the CA's operator for AES-128 or AES-256 in CBC mode"),
    "certrep-password": Row(PEER, OPERATOR, "the CA wrapped the key of its reply"
        " with the challenge password",
        "the CA takes this for a key that cannot decrypt (RFC 8894 3.1), or is set up so",
        "ask the CA's operator for replies that are encrypted for the RSA key"),
    "cannot-decrypt": Row(PEER, LATER, "the reply cannot be decrypted",
        "it was encrypted for another key, damaged, or made by a server that cannot do AES (NDES"
        " before 2012)",
        "try again; check that `rsa local-key-pair` was not changed meanwhile; for an old server"
        " type `enrollment-request encryption-algorithm 3des`"),
    "ca-badAlg": Row(PEER, OPERATOR, "the CA refused: badAlg{text}",
        "it does not take the digest or the cipher of the request",
        "try `enrollment-request signature message-digest-method` or"
        " `enrollment-request encryption-algorithm` with another value"),
    "ca-badMessageCheck": Row(PEER, LATER, "the CA refused: badMessageCheck{text}",
        "it could not decrypt or verify the request: an RA answers there or has new certificates,"
        " it cannot do AES or SHA-2, or (UCM) the challenge password is wrong",
        "type `pki get-certificate ca realm ...` and try again; try `enrollment-url ... ra`; check"
        " `password cipher`, for a renewal (UCM) `compatibility renew-with-password`; for a CA from"
        " before 2010 type `enrollment-request encryption-algorithm 3des` and `enrollment-request"
        " signature message-digest-method sha1`"),
    "ca-badRequest": Row(PEER, OPERATOR, "the CA refused: badRequest{text}",
        "mostly a challenge password that is wrong, used up or too old; else a subject that the CA"
        " does not allow, or (Dogtag) a person has not approved it yet",
        "get a new challenge and type `password cipher` in the realm view; check the entity; what"
        " is issued all the same can be imported: `pki import-certificate local realm ...`"),
    "ca-denied": Row(PEER, OPERATOR, "{what}; it was pending",
        "a person there has refused it, or it was issued and the server fails to say so (OmniTrust"
        " ILM)",
        "ask the CA's operator: what was issued comes by `pki get-certificate local realm ..."
        " serial-number ...` or `pki import-certificate local realm ...`; else apply again"),
    "ca-renewal-refused": Row(PEER, LATER, "{what}; it was a renewal {with_or_without} the"
        " challenge password",
        "the CA wants the password each time (micromdm, step-ca, UCM), does not renew this early"
        " (micromdm: 14 days before the end), has a new key, or (NDES) wants the names of before",
        "the certificate in use stays: apply again nearer its end; or type `compatibility"
        " renew-with-password` or `compatibility renew-by-pkcsreq`, beside the keywords that it"
        " has, in the realm view, and `password cipher` if there is none"),
    "ca-badTime": Row(PEER, LATER, "the CA refused: badTime{text}",
        "this clock and that of the CA are too far apart",
        "check `display clock`; type `clock datetime HH:MM:SS YYYY-MM-DD` in the user view"),
    "ca-badCertId": Row(PEER, LATER, "the CA refused: badCertId{text}",
        "it does not know the transaction or the certificate that was asked for",
        "apply again; the CA may have forgotten the request"),
    "ca-failure": Row(PEER, OPERATOR, "the CA refused without a reason that SCEP knows{text}",
        "a challenge that is wrong or used up, or a rule of the CA",
        "ask the CA's operator to look at its log; check `password cipher`"),
    # -- the certificate that was issued ---------------------------------------------------------
    "issued-malformed": Row(PEER, OPERATOR, "the issued certificate cannot be used: {reason}",
        "a fault in the CA", "ask the CA's operator"),
    "issued-key": Row(PEER, OPERATOR, "{count} of the issued certificates are for our key, not one",
        "the CA answered with the certificate of another device, or mixed them up",
        "ask the CA's operator; nothing was installed"),
    "issued-ca": Row(PEER, OPERATOR, "the CA issued a CA certificate to this device",
        "a wrong profile at the CA", "ask the CA's operator; nothing was installed"),
    "issued-issuer": Row(PEER, OPERATOR, "the certificate is not from the pinned CA: {reason}",
        "the CA signs with another certificate, or someone answers in its place",
        "compare `display pki certificate ca` with the CA's operator"),
    "issued-dates": Row(PEER, OPERATOR, "the certificate is not valid now: {reason}",
        "this clock or that of the CA is wrong",
        "check `display clock`; ask the CA's operator"),
    "issued-subject": Row(PEER, OPERATOR, "the certificate is not what was asked for: {reason}",
        "the CA changed the names",
        "correct the entity, or allow it with `subject-match key-only` in the realm view"),
    "issued-old": Row(PEER, OPERATOR,
        "the answer holds the certificate {serial} that is in use already",
        "an old answer was played again, or the CA does not renew this early",
        "apply again; if it comes back, ask the CA's operator to revoke or to renew"),
    "issued-older": Row(PEER, OPERATOR,
        "the issued certificate is not newer than the one in use: {reason}",
        "the CA is near its own end, has a shorter profile now, or an old certificate came",
        "ask the CA's operator; if it is wanted all the same, type `pki delete-certificate local"
        " realm ...` and apply again"),
    "issued-weak": Row(PEER, OPERATOR, "the certificate is signed with {digest}",
        "an old CA",
        "ask for SHA-256; `weak-algorithm {digest}` in the realm view allows it, but"
        " others may then refuse the certificate, or forge one like it"),
    # -- keys and seals --------------------------------------------------------------------------
    "device-key": Row(LOCAL, OPERATOR, "the device key cannot be read: {reason}",
        "it was deleted or damaged, or the board file points elsewhere",
        "restore it; without it stored keys and passwords stay unreadable"),
    "sealed-unreadable": Row(LOCAL, OPERATOR, "the sealed {what} cannot be opened",
        "the device key is another one, or the record was damaged",
        "restore the device key, or create a new key pair and type"
        " `password cipher` again"),
    "sealed-foreign": Row(LOCAL, OPERATOR, "this sealed password was not made on this device",
        "the configuration was copied from another device",
        "type `password cipher` with the plain password"),
    "key-mismatch": Row(LOCAL, OPERATOR, "the private key and {other} do not belong together",
        "records of the store were mixed up, or a fault in this software",
        "apply again; report it if it comes back"),
    # -- the job itself --------------------------------------------------------------------------
    "digest-refused": Row(LOCAL, OPERATOR, "the crypto library of this system refuses {digest}",
        "its policy switched the algorithm off",
        "use sha-256 with `enrollment-request signature message-digest-method`"),
    "job-request": Row(LOCAL, OPERATOR, "the worker was given a job that makes no sense: {field}",
        "a fault in this software, or an upgrade while it was running",
        "restart the agent; report it if it comes back"),
    **FILES,
    **PUBLISHED,
    **MICROSOFT,
    **NETWORK,
}  # fmt: skip
