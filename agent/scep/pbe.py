"""Password-based encryption (RFC 8018, RFC 7292): what a file asks for before it opens, how it
opens, and how we encrypt a private key that leaves.

Fault model. A file names the work that its password costs: a few bytes can ask for hours, or for
all of the memory. The demands outside the encryption are added up and capped before a library sees
the file; what may be nested inside it ends at the limits of the child. A password is called wrong
only where it was tried: an algorithm that is not known here has an error of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.errors import fail
from agent.scep import ber, cms_writer, crypto, der, oids
from hal.named import NamedTuple

_PBKDF2, _PBES2 = "1.2.840.113549.1.5.12", "1.2.840.113549.1.5.13"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
# Identifiers whose parameters begin {salt, rounds}; the names of those that libraries give up.
_ROUNDS = {
    _PBKDF2: "",
    "1.2.840.113549.1.5.1": "MD2 and DES",
    "1.2.840.113549.1.5.3": "MD5 and DES",
    "1.2.840.113549.1.5.4": "MD2 and RC2",
    "1.2.840.113549.1.5.6": "MD5 and RC2",
    "1.2.840.113549.1.5.10": "SHA-1 and DES",
    "1.2.840.113549.1.5.11": "SHA-1 and RC2",
    "1.2.840.113549.1.12.1.1": "RC4-128",
    "1.2.840.113549.1.12.1.2": "RC4-40",
    "1.2.840.113549.1.12.1.3": "",  # 3DES, of which every OpenSSL is still capable
    "1.2.840.113549.1.12.1.4": "",
    "1.2.840.113549.1.12.1.5": "RC2-128",
    "1.2.840.113549.1.12.1.6": "RC2-40",
}
# The length of the key of each of PKCS#12 with 3DES: of two keys the first is the third again.
_TRIPLE_DES = {"1.2.840.113549.1.12.1.3": 24, "1.2.840.113549.1.12.1.4": 16}
_KEY, _VECTOR, _MAC = 1, 2, 3  # RFC 7292 B.3
_BLOCK_BYTES = {"md5": 64, "sha1": 64, "sha-224": 64, "sha-256": 64, "sha-384": 128, "sha-512": 128}
MAC_DIGESTS = frozenset(_BLOCK_BYTES)
_HMACS = {  # RFC 8018 B.1.2
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha-224",
    _HMAC_SHA256: "sha-256",
    "1.2.840.113549.2.10": "sha-384",
    "1.2.840.113549.2.11": "sha-512",
}
_PBMAC1 = "1.2.840.113549.1.5.14"
_MOST = 1 << 64  # Python does not write longer numbers than it must
_NESTED = 4  # octet strings in octet strings: PFX, AuthenticatedSafe, SafeContents, key bag


class Demand(NamedTuple):
    """The demands of a file: rounds of its hashes, memory of one scrypt, algorithms that a library
    may refuse."""

    rounds: int
    memory_bytes: int
    rare: str


def demand(data: bytes) -> Demand:
    """The cost of opening this file; LocalError `import-work` beyond the caps, BerError."""
    rounds, memory_bytes = 0, 0
    rare: list[str] = []
    for node in _elements(ber.read(data), _NESTED):
        asked, memory, name = _asked(node)
        rounds, memory_bytes = rounds + asked, max(memory_bytes, memory)
        rare += [name] if name else []
    if rounds > limits.KDF_ROUNDS:
        raise fail("import-work", work=f"{rounds} rounds", cap=limits.KDF_ROUNDS)
    if memory_bytes > limits.KDF_MEMORY_BYTES:
        raise fail("import-work", work=f"{memory_bytes} bytes", cap=limits.KDF_MEMORY_BYTES)
    return Demand(rounds, memory_bytes, ", ".join(dict.fromkeys(rare)))


def _elements(root: ber.Node, nested: int) -> Iterator[ber.Node]:
    """Every element, those inside octet strings too, as far as they are DER."""
    waiting = [(root, nested)]
    while waiting:
        node, depth = waiting.pop()
        yield node
        if node.tag & ~der.CONSTRUCTED != der.OCTET_STRING:
            waiting += [(child, depth) for child in node.children]
        elif depth:
            try:
                waiting.append((ber.read(node.octet_string()), depth - 1))
            except ber.BerError:
                continue  # a salt, or something encrypted


def _asked(node: ber.Node) -> tuple[int, int, str]:
    """Rounds, bytes of memory and a rare name of one element; mostly nothing."""
    kinds = [child.tag for child in node.children]
    if kinds == [der.SEQUENCE, der.OCTET_STRING, der.INTEGER]:  # MacData (RFC 7292 4)
        return _number(node.children, 2), 0, ""
    if kinds != [der.OID, der.SEQUENCE]:
        return 0, 0, ""
    kind, fields = node.children[0].oid(), node.children[1].children[1:]
    if kind in _ROUNDS:
        return _number(fields, 0), 0, _ROUNDS[kind]
    if kind == _SCRYPT:
        cost, block, parallel = (_number(fields, at) for at in range(3))
        return cost * block * parallel, 128 * cost * block, ""
    return 0, 0, "PBMAC1" if kind == _PBMAC1 else ""


def _number(fields: list[ber.Node], at: int) -> int:
    return min(abs(fields[at].integer()), _MOST) if at < len(fields) else 0


# -- opening ---------------------------------------------------------------------------------------


def _unknown(name: str) -> ValueError:
    return ValueError(f"its encryption is not known here: {name}")


def opened(algorithm: ber.Node, secret: bytes, password: str) -> bytes | None:
    """The plain text behind an AlgorithmIdentifier; None: not with this password, or damaged.
    ValueError names an algorithm that is not known here. `demand` was asked before."""
    fields = ber.Fields(algorithm)
    scheme, parameters = fields.take().oid(), fields.take(der.SEQUENCE)
    if scheme == _PBES2:
        cipher, key, vector = _pbes2(ber.Fields(parameters), password)
    elif scheme in _TRIPLE_DES:
        fields = ber.Fields(parameters)
        salt, rounds, size = fields.take().octet_string(), fields.take().integer(), 24
        key = _derived("sha1", _KEY, password, salt, rounds, _TRIPLE_DES[scheme])
        cipher, key = "3des", (key + key)[:size]
        vector = _derived("sha1", _VECTOR, password, salt, rounds, crypto.block_bytes(cipher))
    else:
        raise _unknown(_ROUNDS.get(scheme) or scheme)
    return crypto.decrypt_cbc(cipher, key, vector, secret)


def _pbes2(fields: ber.Fields, password: str) -> tuple[str, bytes, bytes]:
    """Cipher, key and initial vector of PBES2 (RFC 8018 A.4); its password is UTF-8."""
    function, encryption = ber.Fields(fields.take()), ber.Fields(fields.take())
    kind, how = function.take().oid(), ber.Fields(function.take(der.SEQUENCE))
    cipher_oid, vector = encryption.take().oid(), encryption.take().octet_string()
    cipher = oids.CIPHER_NAMES.get(cipher_oid)
    if cipher is None:
        raise _unknown(f"the cipher {cipher_oid}")
    salt, cost, size = how.take().octet_string(), how.take().integer(), crypto.KEY_BYTES[cipher]
    if kind == _SCRYPT:
        block, parallel = how.take().integer(), how.take().integer()
        key = crypto.asked(
            lambda: crypto.scrypt(password.encode(), salt, cost, block, size, parallel)
        )
    elif kind == _PBKDF2:
        how.maybe(der.INTEGER)  # the length of the key, which the cipher says as well
        mark = how.maybe(der.SEQUENCE)
        mac = _HMACS.get(ber.Fields(mark).take().oid(), "") if mark else "sha1"
        if not mac:
            raise _unknown("a key derivation by another digest")
        key = crypto.asked(lambda: crypto.pbkdf2(password.encode(), salt, cost, size, mac))
    else:
        raise _unknown(f"the key derivation {kind}")
    if key is None:
        raise _unknown("a key derivation that the library refuses")
    return cipher, key, vector


def mac(digest: str, password: str | None, salt: bytes, rounds: int, data: bytes) -> bytes:
    """The MAC of a PKCS#12 (RFC 7292 4), `digest` of MAC_DIGESTS; None: of no password at all."""
    size = crypto.DIGEST_BYTES[digest]
    return crypto.hmac_of(digest, _derived(digest, _MAC, password, salt, rounds, size), data)


def _derived(
    digest: str, use: int, password: str | None, salt: bytes, rounds: int, length: int
) -> bytes:
    """The key derivation of PKCS#12 (RFC 7292 B.2)."""
    block = _BLOCK_BYTES[digest]
    text = b"" if password is None else (password + "\0").encode("utf-16-be")
    text = _filled(salt, block) + _filled(text, block)
    result = b""
    while len(result) < length:
        piece = crypto.digest(digest, bytes((use,)) * block + text)
        for _ in range(rounds - 1):
            piece = crypto.digest(digest, piece)
        result += piece
        addend = int.from_bytes(_filled(piece, block)[:block], "big") + 1
        parts = (text[at : at + block] for at in range(0, len(text), block))
        text = b"".join(_added(part, addend) for part in parts)
    return result[:length]


def _filled(data: bytes, block: int) -> bytes:
    """Repeated up to a multiple of a block."""
    size = -(-len(data) // block) * block
    return (data * (size // len(data) + 1))[:size] if data else b""


def _added(part: bytes, addend: int) -> bytes:
    total = (int.from_bytes(part, "big") + addend) % (1 << 8 * len(part))
    return total.to_bytes(len(part), "big")


# -- what leaves -----------------------------------------------------------------------------------


def shroud(pkcs8: bytes, password: str) -> bytes:
    """EncryptedPrivateKeyInfo: PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC (RFC 8018 6.2).

    Made here, since older libraries take 2,048 rounds and cannot be told otherwise.
    """
    salt, vector = crypto.draw(16), crypto.draw(crypto.block_bytes("aes256"))
    rounds = limits.EXPORT_KDF_ROUNDS
    key = crypto.pbkdf2(password.encode(), salt, rounds, crypto.KEY_BYTES["aes256"])
    function = der.sequence(
        der.oid(_PBKDF2),
        der.sequence(
            der.octet_string(salt), der.integer(rounds), cms_writer.algorithm(_HMAC_SHA256)
        ),
    )
    cipher = der.sequence(der.oid(oids.CIPHERS["aes256"]), der.octet_string(vector))
    algorithm = der.sequence(der.oid(_PBES2), der.sequence(function, cipher))
    secret = crypto.encrypt_cbc("aes256", key, vector, pkcs8)
    return der.sequence(algorithm, der.octet_string(secret))
