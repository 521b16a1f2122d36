"""A key that fits a signature which somebody else has made (duplicate-signature key selection).

For an RSA signature s over the padded digest m, whoever may choose a modulus n looks for e with
s^e = m (mod n). Modulo a prime p whose p - 1 has small factors only, that is a discrete logarithm
which takes milliseconds (Pohlig and Hellman); two such primes and the Chinese remainders give e.
So a signature never tells who has made it: only a key that is trusted already gives it a meaning.
"""

import bisect
import hashlib
import math
import random

from cryptography.hazmat.primitives.asymmetric import rsa

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
_ALL = [n for n in range(2, 20_000) if all(n % d for d in range(2, math.isqrt(n) + 1))]
_PRIMES = [n for n in _ALL if n > 50]  # of a small factor one number in that many is no generator
_SIEVE = math.prod(_ALL)


def fitting_key(tbs: bytes, signature: bytes) -> rsa.RSAPrivateKey:
    """A key under which this PKCS#1 v1.5 signature with SHA-256 verifies; and which signs."""
    size = len(signature)
    digest = _SHA256 + hashlib.sha256(tbs).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    s, m = int.from_bytes(signature, "big"), int.from_bytes(padded, "big")
    low, high = s + 1, 1 << 8 * size  # the signature is a number below the modulus
    half = 1 << 4 * size
    rng = random.Random(1)
    p, e_p, used = _prime(s, m, half - (half >> 9), half, _PRIMES, rng)
    free = [one for one in _PRIMES if one not in used]
    q, e_q, _ = _prime(s, m, low // p + 1, high // p, free, rng)
    e = _remainders([(e_p, p - 1), (e_q, (q - 1) // 2)])
    assert pow(s, e, p * q) == m
    d = pow(e, -1, (p - 1) * (q - 1) // 2)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q)
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(
    s: int, m: int, low: int, high: int, free: list[int], rng: random.Random
) -> tuple[int, int, set[int]]:
    """A prime p of which s and m are generators, p - 1 = 2 * distinct small primes; the logarithm
    of m; and the small primes."""
    while True:
        some = rng.sample(free, len(free))
        product, count = 2, 0
        while product * some[count] * _PRIMES[-1] ** 2 // 4 < high:
            product *= some[count]
            count += 1
        left = sorted(some[count:])
        for one in left:
            between = (low // (product * one) + 1, (high - 1) // (product * one) + 1)
            for two in left[
                bisect.bisect_left(left, between[0]) : bisect.bisect_left(left, between[1])
            ]:
                order = product * one * two
                p = order + 1
                factors = [*some[:count], one, two]
                if (
                    one < two
                    and math.gcd(p, _SIEVE) == 1
                    and _jacobi(s, p) == _jacobi(m, p) == -1
                    and pow(s, order, p) == 1
                    and all(pow(x, order // f, p) != 1 for x in (s, m) for f in factors)
                ):
                    parts = [
                        (_log(pow(s, order // f, p), pow(m, order // f, p), f, p), f)
                        for f in factors
                    ]
                    return p, _remainders([*parts, (1, 2)]), set(factors)


def _jacobi(a: int, n: int) -> int:
    a, sign = a % n, 1
    while a:
        twos = (a & -a).bit_length() - 1
        a >>= twos
        if twos % 2 and n % 8 in (3, 5):
            sign = -sign
        if a % 4 == 3 and n % 4 == 3:
            sign = -sign
        a, n = n % a, a
    return sign if n == 1 else 0


def _log(base: int, value: int, order: int, p: int) -> int:
    """By small and large steps."""
    step = math.isqrt(order) + 1
    small, power = {}, 1
    for at in range(step):
        small[power] = at
        power = power * base % p
    back, left = pow(base, -step, p), value
    for at in range(step + 1):
        if left in small:
            return at * step + small[left]
        left = left * back % p
    raise AssertionError("no logarithm")


def _remainders(parts: list[tuple[int, int]]) -> int:
    found, modulus = 0, 1
    for value, order in parts:
        found += modulus * ((value - found) * pow(modulus, -1, order) % order)
        modulus *= order
    return found
