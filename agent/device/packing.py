"""The text of a block of the configuration, packed: zlib (RFC 1950) with a dictionary that is set.

A realm of 480 bytes takes some 170 of them, since most of it are words of our own commands. So a
block can be kept twice, a changed line costs less than 1 kB of flash, and 1,000 realms fit.

The dictionary is part of the format (docs/FORMAT.md): what it says may never change, not even the
order of its lines. What is packed names it by its checksum and has one of its own, so another
dictionary is noticed. Words of later commands are packed as well, only less tightly.

Fault model. The bytes may be anything: whatever is wrong with them is a `ValueError`, and they are
never unpacked to more than `TEXT_BYTES`.
"""

from __future__ import annotations

import zlib

TEXT_BYTES = 65536  # of a block; a usual one has below 1,000
_WINDOW_BITS = 12  # the dictionary and a block; 4 KiB of memory to unpack, 32 KiB to pack
_MEMORY_LEVEL = 5
# What is likely stands last, where it costs the fewest bits.
DICTIONARY = b"""\
 vpn-instance https ca-file bind-device
 compatibility ca-id-empty http-get http-post ra-any-purpose renew-by-pkcsreq
 renew-by-signed-pkcsreq renew-by-renewalreq renew-with-password short-nonce
 subject-match strict standard key-only
 weak-algorithm des md5 sha1
 root-fingerprint sha1 sha256
 certificate-check crl none
 crl scep
 cdp-url esc http:// from-ca
 source interface GigabitEthernet 0/0/
 key-usage ike ssl-client ssl-server
pki entity \n common-name .example.com
 country
 state
 locality
 organization
 organization-unit
 fqdn
 ip-address
 email
 serial-number
pki realm \n ca id \n entity \n rsa local-key-pair
 enrollment-url esc https:// enrollment-url http:///certsrv/mscep/mscep.dll
 interval times ra fingerprint sha1 sha256
 enrollment-request signature message-digest-method sha1 sha-512 sha-384 sha-256
 enrollment-request encryption-algorithm 3des aes128 aes256
 password cipher %^%#=%^%#
 fingerprint sha1 fingerprint sha256
 auto-enroll 50 60 70 80 90 regenerate 2048 3072 4096 updated-effective
"""


def pack(text: str) -> bytes:
    """The packed text; of the same text always the same bytes, as long as zlib is the same."""
    packer = zlib.compressobj(
        9, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, DICTIONARY
    )
    return packer.compress(text.encode()) + packer.flush()


def unpack(packed: bytes) -> str:
    """The text; ValueError when it is none."""
    unpacker = zlib.decompressobj(_WINDOW_BITS, DICTIONARY)
    try:
        text = unpacker.decompress(packed, TEXT_BYTES)
    except zlib.error as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it cannot be unpacked: it does not end where it should")
    return text.decode()
