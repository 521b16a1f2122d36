"""What each command does, in one sentence: the reference has it, the agent need not hold it."""

SENTENCES = {
    "#": "Ends a block of a configuration: the next line belongs to the system view.",
    "aaa": "Enters the view of the local users.",
    "authentication-mode { none | password | aaa }": "What a serial line asks before it lets"
    " somebody in; refused while nobody of level 3 could log in.",
    "auto-enroll [ PERCENT ] [ regenerate [ BITS ] ] [ updated-effective ]": "Applies and renews"
    " without an operator: when PERCENT of the validity has elapsed, and in any case in time before"
    " the end. Needs `fingerprint`. A key pair that the realm names and that is not there"
    " is made. Without `updated-effective` the new certificate waits until the one in use is near"
    " its end: an hour before it, or a twentieth of a shorter life. A device that is off then takes"
    " it into use when it starts, so a device that is often off should have the keyword.",
    "ca id NAME": "Names the CA at a server that has several; GetCACaps, GetCACert and"
    " GetNextCACert carry it.",
    "cdp-url { CDP | esc ESCAPED | from-ca }": "Where the revocation list is, if not"
    " where the local certificate says.",
    "certificate-check { crl [ none ] | none }": "Refuses an issued certificate that the"
    " revocation list names; `none` behind `crl` accepts it when there is no list.",
    "clock datetime TIME DATE": "Sets the clock and the RTC, in the zone of the device.",
    "clock timezone NAME { add | minus } OFFSET": "The zone in which times are shown.",
    "common-name NAME": "The common name of the subject; no application is possible without it.",
    "commit": "Does nothing: each line takes effect when it is typed.",
    "compare configuration": "Shows how the running configuration differs from the saved one.",
    "compatibility { ca-id-empty | http-get | http-post | ra-any-purpose | renew-by-pkcsreq"
    " | renew-by-signed-pkcsreq | renew-by-renewalreq | renew-when-expired | renew-with-password"
    " | short-nonce } *": "Behaviour that some CAs need; `?` says which.",
    "country CODE": "The country of the subject.",
    "crl scep": "Gets the revocation list by SCEP (GetCRL).",
    "diagnose realm NAME": "Checks everything that an application needs, in the order in which it"
    " fails, and says what to do.",
    "delete FILENAME": "Deletes a file of device storage, unless a realm or `https ca-file` needs"
    " it. A file that may hold a private key or a challenge is for level 3.",
    "dir [ FILENAME ]": "Lists the files of device storage, or one.",
    "display clock": "Shows the time, who vouches for it, and whether it is trusted.",
    "display current-configuration [ all | include-default | configuration { system | pki-entity"
    " | pki-realm | user-interface | aaa } ]": "Shows the running configuration; it can be pasted"
    " back. `include-default` adds the settings at their default values.",
    "display device": "Shows whether the device is as it should be.",
    "display esn": "Shows the serial number of the device.",
    "display history-command": "Shows the last lines of this session.",
    "display interface brief": "Shows the interfaces and their addresses.",
    "display logbuffer": "Shows the last log lines.",
    "display pki cert-req filename FILENAME": "Shows a certificate request in device storage.",
    "display pki certificate { ca | local [ next ] } [ realm NAME | filename FILENAME ]": "Shows"
    " certificates as `openssl x509 -text` does; `next` shows those that wait until the ones in use"
    " are near their end.",
    "display pki crl [ realm NAME | filename FILENAME ]": "Shows revocation lists.",
    "display pki enrollment brief": "Shows every realm in a line, the worst first.",
    "display pki enrollment [ realm NAME ]": "Shows where each realm stands, why, what happens"
    " next and when, the validity that has elapsed, and the last error.",
    "display pki entity [ NAME ]": "Shows entities.",
    "display pki realm brief": "Shows every realm in a line with its entity and its key pair, the"
    " worst first.",
    "display pki realm [ NAME ]": "Shows every setting of realms, and their state.",
    "display pki rsa local-key-pair [ name NAME ] public": "Shows the public halves of key pairs.",
    "display pki statistics": "Shows what the device holds, and counts what has happened.",
    "display saved-configuration": "Shows what the next start will load.",
    "display saved-configuration unapplied": "Shows the saved lines that do not apply, and why.",
    "display startup": "Shows whether a configuration is saved for the next start.",
    "display this": "Shows the configuration of this view.",
    "display users": "Shows who is at the console, and from where.",
    "display version": "Shows the version of the software, the serial number of the device, and"
    " what confines job children.",
    "email MAIL": "A mail address as an alternative name.",
    "enrollment-request encryption-algorithm { aes128 | aes256 | 3des }": "How requests are"
    " encrypted. One that was typed is a floor; without it AES, or 3des where the CA lists its"
    " capabilities and AES is not among them.",
    "enrollment-request signature message-digest-method { md5 | sha1 | sha-256 | sha-384"
    " | sha-512 }": "The digest of the request and of its signature.",
    "enrollment-url { URL | esc ESCAPED } [ interval MINUTES ] [ times COUNT ] [ ra [ fingerprint"
    " { sha1 HEX40 | sha256 HEX64 } ] ]": "Where the CA answers, or the RA in front of it, and how"
    " often it is asked while it decides.",
    "entity NAME": "Whom the certificate of this realm is for.",
    "fingerprint { md5 HEX32 | sha1 HEX40 | sha256 HEX64 }": "The digest of the CA certificate"
    " that is to be trusted.",
    "root-fingerprint { sha1 HEX40 | sha256 HEX64 }": "The digest of a CA certificate above the"
    " pinned one, four at most: such a CA of the set, or of an imported file, is stored and served"
    " in `ca.pem`, and `chain.pem` goes up to it. Most consumers need the root where the pinned CA"
    " is none.",
    "fqdn NAME": "A domain name as an alternative name.",
    "https ca-file FILENAME": "The CA of the server's certificate for https URLs; it never takes"
    " the place of the fingerprint.",
    "idle-timeout MINUTES [ SECONDS ]": "When a session at a serial line ends by itself; 0 0 is"
    " never.",
    "ip-address { ADDRESS | TYPE NUMBER | INTERFACE }": "An address, or that of an interface, as"
    " an alternative name.",
    "key-usage { ike | ssl-client | ssl-server } *": "What the certificate is to be used for.",
    "local-user NAME { password { irreversible-cipher | cipher } [ PASSWORD ] | privilege level"
    " LEVEL | service-type terminal }": "A user who may log in on serial lines.",
    "locality NAME": "The locality of the subject.",
    "more FILENAME": "Shows the text of a file in device storage; a file that may hold a private"
    " key or a challenge is for level 3.",
    "mmi-mode enable": "For programs: displays are not paged, and questions of commands are"
    " answered Y until this session ends. Whether a CA is to be trusted is still asked.",
    "organization NAME": "The organization of the subject.",
    "organization-unit UNITS": "The organization units of the subject.",
    "password cipher [ PASSWORD ]": "The challenge password; asked for twice when it is left out,"
    " and sealed when it is stored.",
    "pki update-certificate realm NAME": "Renews now, by the rules of `auto-enroll`.",
    "pki abort-request realm NAME": "Gives up the application that is under way.",
    "pki delete-certificate { ca | local } { realm NAME | filename FILENAME }": "Forgets"
    " a certificate; its file in device storage stays. With a file name it deletes the file.",
    "pki delete-crl { realm NAME | filename FILENAME }": "Forgets the revocation list of a realm;"
    " its file in device storage stays. With a file name it deletes the file.",
    "pki enroll-certificate realm NAME [ password PASSWORD ]": "Applies for a certificate, or"
    " renews the one in use.",
    "pki enroll-certificate realm NAME pkcs10 [ filename FILENAME ] [ with-password ]": "Writes"
    " the request to a file, for a CA that is reached by hand. The challenge password is left out,"
    " because whoever carries the file can read it; `with-password` (level 3) puts it in.",
    "pki entity NAME": "Creates or enters an entity.",
    "pki export rsa-key-pair NAME { pem | pkcs12 } FILENAME [ password PASSWORD ]": "Writes an"
    " exportable key pair to an encrypted file.",
    "pki export-certificate { ca | local } realm NAME { pem | der | pkcs12 } [ filename FILENAME ]"
    " [ password PASSWORD ]": "Writes a certificate to a file; PKCS#12 of a local one with its"
    " key, if that is exportable.",
    "pki file-format { der | pem }": "How files are written to device storage from now on.",
    "pki get-certificate ca realm NAME [ next ]": "Gets the certificates of the CA, or those of"
    " the next CA as the trusted one names it.",
    "pki get-certificate local realm NAME [ serial-number SERIAL ]": "Gets a certificate again that"
    " the CA has issued for the key pair of the realm, and puts it into use: its answer was lost,"
    " or it was deleted.",
    "pki get-crl realm NAME": "Gets the revocation list of the CA.",
    "pki http { URL | esc ESCAPED } FILENAME [ realm NAME ]": "Gets a file from a URL into device"
    " storage, as realm `default` or the named one reaches its CA. It replaces no file.",
    "pki import-crl realm NAME filename FILENAME": "Reads a revocation list from a file, under the"
    " rules for one that the CA gives.",
    "pki import rsa-key-pair NAME { pem | pkcs12 } FILENAME [ exportable ]"
    " [ password PASSWORD ]": "Reads a key pair from a file.",
    "pki import-certificate { ca | local } realm NAME [ { pem | der | pkcs12 } filename FILENAME"
    " [ password PASSWORD ] ]": "Reads a certificate from a file; without one, that of the realm."
    " A certificate that waits for its turn comes into use now.",
    "pki realm NAME": "Creates or enters a realm.",
    "pki confirm-device": "Confirms that this device has replaced the one that made its key pairs,"
    " which ends the alarm.",
    "pki rsa local-key-pair create NAME [ modulus BITS ] [ exportable ]": "Generates a key pair.",
    "pki rsa local-key-pair destroy NAME": "Destroys a key pair for ever.",
    "pki set-certificate expire-prewarning DAYS": "How many days before its end a certificate"
    " counts as about to expire.",
    "pki validate-certificate { ca | local } realm NAME [ filename FILENAME ]": "Checks a"
    " certificate and its chain; with a file name, the certificate in that file by the CA of the"
    " realm, before it is imported.",
    "quit": "Leaves this view; in the user view, the session.",
    "reboot": "Restarts the device, where its board file says how.",
    "reset pki storage [ unused ]": "Destroys all key pairs, certificates and requests; with"
    " `unused`, only replaced values that flash still holds.",
    "reset saved-configuration [ unapplied ]": "Forgets the saved configuration, or its lines that"
    " do not apply.",
    "return": "Back to the user view.",
    "rsa local-key-pair NAME": "The key pair of this realm.",
    "save [ FILENAME | force | all ]": "Makes the running configuration survive a reboot; `force`"
    " does not ask. With FILENAME it writes a copy to device storage, which no start loads.",
    "screen-length LINES temporary": "Lines of a page in this session; 0 for no paging.",
    "screen-width COLUMNS [ temporary ]": "Columns at which lines are wrapped in this session. A"
    " terminal on the socket or over SSH tells its own; a serial line has 80.",
    "serial-number": "Puts the serial number of the device into the subject.",
    "set authentication password [ cipher [ PASSWORD ] ]": "The password of the serial lines, for"
    " authentication-mode password.",
    "source { interface { TYPE NUMBER | INTERFACE } [ bind-device ] | ADDRESS }": "Where"
    " connections to the CA come from; they come from nowhere else.",
    "state NAME": "The state or province of the subject.",
    "subject-match { strict | standard | key-only }": "How closely an issued certificate must match"
    " the request.",
    "sysname NAME": "The name of the device, also in the prompt. Without it a device has the name"
    " of its host, up to the first full stop, if that is a name.",
    "system-view [ immediately ]": "Enters the system view.",
    "terminal monitor": "Shows log lines as they come.",
    "user privilege level LEVEL": "The level of whoever logs in on a serial line without a user"
    " name.",
    "user-interface console NUMBER": "Enters the view of the serial lines.",
    "vpn-instance NAME": "The VRF through which the CA is reached.",
    "weak-algorithm { des | md5 | sha1 } *": "Weak algorithms that this CA may use; every use"
    " is logged.",
}
