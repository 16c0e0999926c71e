"""Random primes, for the key exchange's riddle and for the server's own RSA key."""

from __future__ import annotations

import math
import secrets

_SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))]
_SMALL_PRODUCT = math.prod(_SMALL_PRIMES)


def random_prime(bits: int) -> int:
    """A random prime of exactly `bits` bits, its two highest set, so that a product of two has twice as many."""
    while True:
        candidate = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if math.gcd(candidate, _SMALL_PRODUCT) == 1 and _passes_miller_rabin(candidate, rounds=24):
            return candidate


def _passes_miller_rabin(n: int, rounds: int) -> bool:
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        x = pow(secrets.randbelow(n - 3) + 2, odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True
