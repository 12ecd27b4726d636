"""Combines the shares in files, with PyPI shamir-mnemonic, and writes the secret in hex; or splits such a secret anew.

    shares.py combine SHARE...
    shares.py split M N exponent extendable SECRET-IN-HEX DIR
"""

import sys

from shamir_mnemonic import combine_mnemonics, generate_mnemonics


def words(path):
    return " ".join(line for line in open(path).read().splitlines() if not line.startswith("#"))


if sys.argv[1] == "combine":
    print(combine_mnemonics([words(path) for path in sys.argv[2:]]).hex())
else:
    needed, count, exponent, extendable, secret, folder = sys.argv[2:]
    shares = generate_mnemonics(1, [(int(needed), int(count))], bytes.fromhex(secret), b"", extendable == "yes", int(exponent))[0]
    for number, share in enumerate(shares, 1):
        open(f"{folder}/{number}.txt", "w").write(share + "\n")
