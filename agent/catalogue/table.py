"""What every error says: one row for each code.

Texts name what happened, the likely cause, and the next step with the command to type. They hold no
secret: what is filled in comes from settings that are shown anyway, or from a peer, made harmless.
"""

from __future__ import annotations

from agent.catalogue.files import FILES
from agent.catalogue.microsoft import MICROSOFT
from agent.catalogue.network import NETWORK
from agent.catalogue.published import PUBLISHED
from agent.catalogue.ra import RA
from agent.catalogue.reply import REPLY
from agent.catalogue.room import ROOM
from agent.catalogue.row import LATER, LOCAL, NOW, OPERATOR, PEER, Row
from agent.catalogue.undo import UNDO

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
                     "the system is short of memory, processes or open files",
                     "free some and try again; RLIMIT_NOFILE of the agent counts its open files"),
    "job-fault": Row(LOCAL, OPERATOR, "the worker met a fault in this software: {place}",
                     "input that was not foreseen",
                     "report it with the line above; the certificate in use is not touched"),
    "job-refused": Row(LOCAL, OPERATOR, "the worker was refused a system call: {place}",
                       "a C library newer than the list of calls that a job may make, or an"
                       " attack on the worker",
                       "report it with the line above; the certificate in use is not touched"),
    # -- the start of the agent ------------------------------------------------------------------
    "start-board": Row(LOCAL, OPERATOR, "{what}", "the board file is wrong",
                       "correct it; `platforms/board.py` lists its keys"),
    "start-console": Row(LOCAL, OPERATOR, "{what}",
                         "another agent runs there, or the folder of the console socket is missing"
                         " or not this user's",
                         "use the agent that runs, or name another folder with --state"),
    "start-descriptors": Row(LOCAL, OPERATOR, "this process may open {count} files, and needs"
                             " {wanted}",
                             "the program that starts it has set the limit too low (RLIMIT_NOFILE)",
                             "raise it: `ulimit -n 64` in a shell, `LimitNOFILE=64` for systemd,"
                             " `limits nofile` for procd"),
    "start-folder": Row(LOCAL, OPERATOR, "{what}",
                        "the file or folder is missing, the disk is full, or this user may not use"
                        " it",
                        "look at it, and at --state, --config and the paths of the board file"),
    "start-foreign": Row(LOCAL, OPERATOR, "{what}",
                         "whoever owns or may write a folder on this path can put links and files"
                         " in the agent's way; nothing in it was touched",
                         "name a folder of your own with --state or in the board file; or, once you"
                         " have looked at all that is in it, take this one over with `chown -R` and"
                         " `chmod go-w`"),
    "start-second": Row(LOCAL, OPERATOR, "{what}", "a second agent was started on the same folder",
                        "use the one that runs, with `scep-agent console`; or end it first, or"
                        " name another folder with --state"),
    "start-store": Row(LOCAL, OPERATOR, "the flash: {what}",
                       "[flash] in the board file describes a part that can hold no store",
                       "correct `size` and `erase_size` there; nothing was written"),
    # -- an application --------------------------------------------------------------------------
    "ca-no-ca": Row(PEER, LATER, "the CA set holds no CA certificate",
                    "the URL is not that of a SCEP server, only RA certificates were sent, or the"
                    " root has no basicConstraints (version 1), and counts once a fingerprint names"
                    " it",
                    "check `enrollment-url` and `ca id`; for such a root type `fingerprint sha256"
                    " ...` in the realm view"),
    "ca-set-older": Row(PEER, LATER, "the CA set is out of date: it holds {older}, but not {pin},"
                        " which followed it and which this realm trusts now",
                        "someone shows an old set again, or the CA went back to its old key",
                        "nothing was changed; ask the CA's operator, and if the old CA is to be"
                        " trusted again, `pki delete-certificate ca realm ...` and apply again"),
    "ca-unconfirmed": Row(LOCAL, OPERATOR, "the CA certificate was not confirmed, so nothing was"
                          " sent",
                          "the realm has no `fingerprint`, and nobody compared and accepted it",
                          "get the fingerprint from the CA's operator and type `fingerprint sha256"
                          " ...` in the realm view, or apply again and answer the question"),
    "ca-pin-changed": Row(LOCAL, OPERATOR, "the stored CA is not the one that `fingerprint` names"
                          " now",
                          "`fingerprint` was changed while an application was under way",
                          "apply again with `pki enroll-certificate realm ...`"),
    "ca-expired": Row(PEER, LATER, "the CA certificate has expired: {subject}",
                      "the CA was renewed and the server still shows the old one, or this clock is"
                      " wrong",
                      "check `display clock`; ask the CA's operator for the new fingerprint"),
    "requests-spent": Row(LOCAL, LATER, "no request was sent: those of this renewal got no answer",
                          "the clock was set while the CA certificates came",
                          "wait: the realm applies again within a day; or apply at once with"
                          " `pki enroll-certificate realm ...`"),
    "poll-exhausted": Row(PEER, LATER, "the CA has not decided after {polls} polls",
                          "the request waits for a person at the CA",
                          "ask the CA's operator, then apply again: that first asks about the same"
                          " request"),
    "request-aborted": Row(LOCAL, OPERATOR, "the operator ended the application",
                           "`pki abort-request` was typed",
                           "apply again when the certificate is wanted"),
    "realm-incomplete": Row(LOCAL, OPERATOR, "realm {realm} is not complete; missing: {missing}",
                            "not all commands of the procedure were typed",
                            "type `pki realm {realm}`, `{command}`"),
    "realm-busy": Row(LOCAL, OPERATOR, "realm {realm} has an application under way ({state})",
                      "it was started earlier and has not ended",
                      "wait for it, or end it with `pki abort-request realm {realm}`"),
    "level-needed": Row(LOCAL, OPERATOR, "this command needs level {wanted}",
                        "this session has level {level}",
                        "let a user of level {wanted} do it"),
    "level-too-low": Row(LOCAL, OPERATOR, "this user may not {what}",
                         "which CA is trusted is decided at level {wanted}, not at level {level}",
                         "let a user of level {wanted} do it"),
    "realm-gone": Row(LOCAL, OPERATOR, "the work for realm {realm} has ended",
                      "the realm was removed, or the agent stops",
                      "see `display pki enrollment`; what flash holds goes on after a start"),
    "realm-unknown": Row(LOCAL, OPERATOR, "there is no realm {realm}",
                         "it was never created, or the name is spelt differently",
                         "see `display pki realm`; create it with `pki realm {realm}`"),
    "key-unknown": Row(LOCAL, OPERATOR, "there is no RSA key pair {name}",
                       "it was never created, or the name is spelt differently (case counts)",
                       "see `display pki rsa local-key-pair public`, or type"
                       " `pki rsa local-key-pair create {name}`"),
    "key-unreadable": Row(LOCAL, OPERATOR, "the record of key pair {name} cannot be read",
                          "it was damaged, or another release wrote it",
                          "go back to that release; to make another pair in its place type `pki rsa"
                          " local-key-pair destroy {name}` first"),
    "key-case": Row(LOCAL, OPERATOR, "there is no RSA key pair {name}, but there is {other}",
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
    "storage-unusable": Row(LOCAL, OPERATOR, "the storage of this device cannot be used: {reason}",
                            "the flash belongs to something else, to another release or board, or"
                            " fails; nothing on it was touched",
                            "type `reset pki storage` in the user view to erase it and begin as a"
                            " new device; or restore it from a copy and start the agent again"),
    "storage-failed": Row(LOCAL, LATER, "device storage or memory could not be written: {reason}",
                          "the folder is full, missing or not writable for this user, or too many"
                          " files are open",
                          "check the folders in the board file and their free space"),
    # -- imports, exports, the machine -----------------------------------------------------------
    # "File can't be found" is VRP's, and RANCID's script for VRP looks for it.
    "file-missing": Row(LOCAL, OPERATOR, "file can't be found: {name}",
                        "it is not in device storage, or the name is spelt differently",
                        "see `dir` in the user view"),
    "file-unreadable": Row(LOCAL, OPERATOR, "the file {name} cannot be read: {reason}",
                           "it is larger than any file that this device uses, or belongs to another"
                           " user, or the medium is damaged",
                           "check the file in the folder that the board file names for storage"),
    "file-exists": Row(LOCAL, OPERATOR, "there is a file {name} already",
                       "`pki http` replaces no file",
                       "type the line again with another name, or `delete {name}` in the user"
                       " view first"),
    "file-unreachable": Row(PEER, LATER, "nothing came from {url}: {what}",
                            "{cause}",
                            "check the URL; `pki http ... realm NAME` uses the `source` of another"
                            " realm"),
    "file-too-large": Row(LOCAL, OPERATOR, "the file {name} has more than {cap} bytes",
                          "it holds more than certificates and a key",
                          "see `dir` in the user view"),
    "crl-absent": Row(LOCAL, OPERATOR, "realm {realm} has no revocation list",
                      "none was fetched or imported, or it was deleted",
                      "type `pki get-crl realm {realm}`"),
    "file-kept": Row(LOCAL, OPERATOR, "the file {name} stays: {why}",
                     "the device keeps it as long as the setting or the certificate is there",
                     "see `display pki realm brief`"),
    "file-guarded": Row(LOCAL, OPERATOR, "this user may not {what} the file {name}",
                        "it may hold a private key or a password: level {wanted} is needed, not"
                        " level {level}",
                        "let a user of level {wanted} do it"),
    "file-no-text": Row(LOCAL, OPERATOR, "the file {name} is not text",
                        "it is in DER or PKCS#12",
                        "type `display pki certificate local filename {name}` if it is a"
                        " certificate"),
    "certificate-missing": Row(LOCAL, OPERATOR, "realm {realm} has no local certificate",
                               "none was applied for or imported, or it was deleted",
                               "type `pki enroll-certificate realm {realm}`, or bring one with"
                               " `pki get-certificate local realm {realm} serial-number ...` or"
                               " `pki import-certificate local realm {realm} pem filename"
                               " FILENAME`"),
    "import-invalid": Row(LOCAL, OPERATOR, "the certificate was not imported: {reason}:"
                          " {subject}",
                          "it comes from another CA than the one that this realm trusts, or has"
                          " expired",
                          "see `display pki certificate ca`; import the certificate of its CA"
                          " first"),
    "key-not-exportable": Row(LOCAL, OPERATOR, "key pair {name} may not leave this device",
                              "it was made without exportable, which cannot be added later",
                              "make another one with `pki rsa local-key-pair create NAME"
                              " exportable`; a certificate alone is exported in the formats pem and"
                              " der"),
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
    "configuration-busy": Row(LOCAL, OPERATOR,
                              "nothing was changed: a configuration is being written",
                              "another session has typed `save`, or applies a file",
                              "try again in a moment"),
    "apply-raced": Row(LOCAL, OPERATOR, "nothing was changed: the configuration has changed"
                       " meanwhile",
                       "another session configured the device while the file was compared",
                       "apply the file again"),
    "saved-lost": Row(LOCAL, OPERATOR, "nothing of the saved configuration can be shown: {what}",
                      "the flash has lost it, or another release wrote it",
                      "configure the device again and type `save` in the user view; until then the"
                      " serial lines let nobody in"),
    "lost-level": Row(LOCAL, OPERATOR, "this user may not change whom the serial lines let in",
                      "they let nobody in, since the lines about them were lost or are not"
                      " understood; opening them takes level {wanted}, and this user has level"
                      " {level}",
                      "let a user of level {wanted} do it"),
    "apply-refused": Row(LOCAL, OPERATOR, "nothing was changed: lines that do not apply: {count}",
                         "all of a configuration is applied, or nothing",
                         "correct the lines above; `--dry-run` shows what would change"),
    "apply-level": Row(LOCAL, OPERATOR, "nothing was changed: this user may not change `{line}`",
                       "it takes level {wanted}, and this user has level {level}",
                       "let a user of level {wanted} apply the file"),
    "apply-size": Row(LOCAL, OPERATOR, "nothing was changed: the file is longer than {cap} bytes,"
                      " or holds a NUL",
                      "it is no configuration of this device",
                      "give a file as `display current-configuration` shows it"),
    "size-refused": Row(LOCAL, OPERATOR, "this key size is not possible", "{reason}",
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
    "question-unanswered": Row(LOCAL, OPERATOR, "the question was not answered: nothing was done",
                               "in a script the next line must be the answer",
                               "put a line `y` after the command"),
    "load-action": Row(LOCAL, OPERATOR, "a configuration cannot hold a command that acts",
                       "it is no setting", "type the command at the console"),
    "line-too-long": Row(LOCAL, OPERATOR, "the line is longer than {cap} characters",
                         "no command needs that much", "check where the line should have ended"),
    # -- the CA and its certificates -------------------------------------------------------------
    "ca-set-malformed": Row(PEER, LATER, "the CA certificates cannot be read: {reason}",
        "the URL leads to something else: {page}",
        "check `enrollment-url` and `ca id`"),
    "ca-set-too-large": Row(PEER, LATER, "the CA certificates have {size} bytes, {cap} are"
        " allowed",
        "the server sends more than its own chain, or the URL leads to something else",
        "check `enrollment-url` and `ca id`; ask the CA's operator"),
    "ca-pin-mismatch": Row(PEER, LATER, "no CA certificate has the configured {algorithm}"
        " fingerprint {wanted}; what arrived: {got}",
        "`fingerprint` is wrong, or that of a root that the server does not send (step-ca); or the"
        " CA was renewed, or someone answers in its place",
        "compare with the CA's operator, who knows the fingerprint of the CA that issues; correct"
        " `fingerprint` in the realm view"),
    "ca-pin-missing": Row(LOCAL, OPERATOR, "the pinned CA certificate is not in the stored CA set",
        "the CA set was changed after the CA had been trusted",
        "apply again, so that the CA certificates are fetched anew"),
    "ca-pin-not-ca": Row(PEER, LATER, "the pinned certificate is not that of a CA{others}:"
        " {subject}",
        "`fingerprint` names the RA's certificate, or an intermediate CA's without"
        " basicConstraints",
        "give the fingerprint of the CA itself with `fingerprint`"),
    "roots-full": Row(LOCAL, OPERATOR, "there are {cap} root fingerprints already",
        "no more fit", "remove one with `undo root-fingerprint sha256 ...` in the realm view"),
    "ca-cannot-encrypt": Row(PEER, LATER, "the key of the CA or RA cannot encrypt: {reason}:"
        " {subject}",
        "SCEP needs an RSA key at the CA or the RA",
        "ask the CA's operator for a SCEP service with an RSA certificate"),
    # -- keys and seals --------------------------------------------------------------------------
    "device-key": Row(LOCAL, OPERATOR, "the device key cannot be read: {reason}",
        "it was deleted or damaged, or the board file points elsewhere",
        "restore it from a copy and start the agent again; if there is none, type `reset pki"
        " storage` in the user view, which makes a new one, then create key pairs and passwords"
        " anew"),
    "sealed-unreadable": Row(LOCAL, OPERATOR, "the sealed {what} cannot be opened",
        "the device key was replaced, or the record was damaged",
        "restore the device key, or create a new key pair and type"
        " `password cipher` again"),
    "sealed-foreign": Row(LOCAL, OPERATOR, "this sealed password was not made on this device",
        "the configuration was copied from another device",
        "type `password cipher` with the plain password"),
    "sealed-elsewhere": Row(LOCAL, OPERATOR, "this is a password that another device has sealed",
        "only that device can open its cipher text", "type the command with the password in plain"),
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
    **RA,
    **REPLY,
    **ROOM,
    **UNDO,
}  # fmt: skip
