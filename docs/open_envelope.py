#!/usr/bin/env python3
"""Opens what sources and newsrooms send each other, and seals it, without daylight: docs/envelope.md in some 250 lines.

    python3 open_envelope.py codename NEWSROOM WORDLIST             the ten words come on standard input; their keys go out as JSON
    python3 open_envelope.py open NEWSROOM SEED ENVELOPE BODY       opens an envelope; its head goes out as JSON, its body into BODY
    python3 open_envelope.py seal HEAD ENVELOPE BODY RECIPIENT...   seals BODY with the head in the file HEAD for age1pq1… keys
    python3 open_envelope.py open-reply NEWSROOM SEED EDITOR REPLY  opens a reply of that editor's; counter and text go out as JSON
    python3 open_envelope.py seal-reply NEWSROOM RECIPIENT COUNTER EDITOR-SEED REPLY   seals the text on standard input

NEWSROOM, SEED and EDITOR are 64 hexadecimal digits: the SHA-256 of the archive's first root, an X-Wing private key, an Ed25519 public key. It needs Python 3.9
and the package `cryptography`, 47 or later, for HPKE with X-Wing. It holds what it opens in memory, and reads everything as strictly as daylight does.
BODY is there only if the envelope was whole.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHUNK, STANZAS, HEAD = 64 * 1024, 16, 2048
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
INFO = b"age-encryption.org/mlkem768x25519"
SUBMISSION, REPLY = b"daylight-submission/v1\n", b"daylight-reply/v1\n"
WEIGHTS = (1, 5, 7, 11, 13, 17, 19, 23, 25, -1)


def demand(kept, what):
    if not kept:
        raise ValueError(what)


# --- keys ------------------------------------------------------------------------------------------------------------------------------


def raw(key):
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


class Identity:
    """An X-Wing private key: 32 bytes, which SHAKE256 expands to the seeds of ML-KEM-768 and X25519."""

    def __init__(self, seed):
        expanded = hashlib.shake_256(seed).digest(96)
        kem, curve = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
        self.key = hpke.MLKEM768X25519PrivateKey(kem, curve)
        self.recipient = raw(kem.public_key()) + raw(curve.public_key())


def public(recipient):
    return hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(recipient[:1184]), X25519PublicKey.from_public_bytes(recipient[1184:])
    )


LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def polymod(values):
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def parse_recipient(text):
    """The bytes of age1pq1…: Bech32 (BIP 173) without its limit of length."""
    prefix, _, data = text.partition("1pq1")
    demand(prefix == "age" and all(letter in LETTERS for letter in data), "not a recipient")
    values = [LETTERS.index(letter) for letter in data]
    known = [ord(letter) >> 5 for letter in "age1pq"] + [0] + [ord(letter) & 31 for letter in "age1pq"]
    demand(polymod(known + values) == 1, "the recipient has a slip in it")
    bits = "".join(f"{value:05b}" for value in values[:-6])
    demand(len(bits) // 8 == 1216 and "1" not in bits[1216 * 8 :], "not a recipient")
    return int(bits[: 1216 * 8], 2).to_bytes(1216, "big")


def codename_keys(newsroom, text, wordlist):
    words = text.lower().replace(",", " ").split()
    known = [line.split()[-1] for line in open(wordlist, encoding="ascii") if line.strip()]
    demand(len(words) == 10, f"a codename has ten words, not {len(words)}")
    demand(all(word in known for word in words), "a word is not in the list")
    total = sum(known.index(word) * weight for word, weight in zip(words, WEIGHTS))
    demand(total % 7776 == 4242, "a word is wrong, or two stand in the wrong order")
    seed = hmac.digest(newsroom, " ".join(words).encode(), "sha256")  # HKDF-Extract
    return {what: HKDFExpand(SHA256(), 32, b"daylight-codename/v1 " + what.encode()).derive(seed) for what in ("lookup", "reply", "conversation")}


# --- age files -------------------------------------------------------------------------------------------------------------------------


def unpadded(data):
    return base64.b64encode(data).rstrip(b"=")


def decoded(text):
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    demand(unpadded(data) == text, "the header is not in the one form that there is")
    return data


def hkdf(key, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(key)


def seal_age(plain, recipients, count):
    demand(1 <= len(recipients) <= count, f"1 to {count} recipients")
    key, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
    spare = [Identity(secrets.token_bytes(32)).recipient for _ in range(count - len(recipients))]
    sealed = [SUITE.encrypt(key, public(recipient), INFO) for recipient in recipients + spare]
    secrets.SystemRandom().shuffle(sealed)
    stanzas = [b"-> mlkem768x25519 %b\n%b\n" % (unpadded(one[:1120]), unpadded(one[1120:])) for one in sealed]
    header = b"age-encryption.org/v1\n" + b"".join(stanzas) + b"---"
    mac = hmac.digest(hkdf(key, b"", b"header"), header, "sha256")
    aead, chunks = ChaCha20Poly1305(hkdf(key, nonce, b"payload")), range(0, max(len(plain), 1), CHUNK)
    numbered = [(at // CHUNK).to_bytes(11, "big") + bytes([at + CHUNK >= len(plain)]) for at in chunks]
    body = [aead.encrypt(number, plain[at : at + CHUNK], None) for number, at in zip(numbered, chunks)]
    return header + b" " + unpadded(mac) + b"\n" + nonce + b"".join(body)


def open_age(sealed, identity, count):
    lines = sealed.split(b"\n", 2 * count + 2)
    demand(len(lines) == 2 * count + 3 and lines[0] == b"age-encryption.org/v1", "not an envelope of ours")
    key = None
    for first, body in zip(lines[1:-2:2], lines[2:-2:2]):
        parts = first.split(b" ")
        demand(len(parts) == 3 and parts[:2] == [b"->", b"mlkem768x25519"], "a stanza of another kind")
        encapsulated, wrapped = decoded(parts[2]), decoded(body)
        demand((len(encapsulated), len(wrapped)) == (1120, 32), "a stanza of another length")
        try:
            key = key or SUITE.decrypt(encapsulated + wrapped, identity.key, INFO)
        except InvalidTag:
            pass
    demand(key is not None and len(key) == 16, "the key does not open it")
    signed, end, payload = b"\n".join(lines[:-2]) + b"\n---", lines[-2], lines[-1]
    mac = hmac.digest(hkdf(key, b"", b"header"), signed, "sha256")
    demand(end[:4] == b"--- " and hmac.compare_digest(mac, decoded(end[4:])), "the header was altered")
    aead, chunks, out = ChaCha20Poly1305(hkdf(key, payload[:16], b"payload")), payload[16:], []
    for at in range(0, max(len(chunks), 1), CHUNK + 16):
        last = at + CHUNK + 16 >= len(chunks)
        try:
            out.append(aead.decrypt((at // (CHUNK + 16)).to_bytes(11, "big") + bytes([last]), chunks[at : at + CHUNK + 16], None))
        except InvalidTag:
            raise ValueError("it is damaged, altered or cut off") from None
    demand(len(out) == 1 or out[-1], "an empty last chunk")
    return b"".join(out)


# --- submissions -----------------------------------------------------------------------------------------------------------------------


def padded(length, is_file):
    if not is_file:
        demand(length <= 131072, "a text has at most 128 KiB")
        return next(size for size in (4096, 32768, 131072) if length <= size)
    length = max(length, 4096)
    exponent = length.bit_length() - 1
    rest = (1 << exponent - exponent.bit_length()) - 1
    return (length + rest) & ~rest


def head_bytes(head):
    is_file, name, kind = "file" in head, bytes.fromhex(head["name"]), head["media_type"].encode("ascii")
    demand(is_file or not name + kind, "a text has no name and no media type")
    demand(len(name) <= 512 and len(kind) <= 127 and all(32 <= byte < 127 for byte in kind), "a name or media type that cannot be")
    fields = [SUBMISSION, bytes.fromhex(head["newsroom"]), head["epoch"].to_bytes(4, "big"), bytes.fromhex(head["conversation"])]
    fields += [bytes.fromhex(head["reply"]), head["counter"].to_bytes(8, "big"), bytes([head["tool"], head["first"], is_file])]
    fields += [bytes([head.get("last", False)]), head.get("part", 0).to_bytes(4, "big"), bytes.fromhex(head.get("file", "00" * 16))]
    fields += [len(name).to_bytes(2, "big"), name, bytes([len(kind)]), kind]
    return b"".join(fields).ljust(HEAD, b"\0")


def read_head(data):
    demand(data[:23] == SUBMISSION, "not a submission of version 1")
    name_end = 1341 + int.from_bytes(data[1339:1341], "big")
    demand(name_end < HEAD, "a name that is too long")
    kind = data[name_end + 1 : name_end + 1 + data[name_end]]
    head = {"newsroom": data[23:55].hex(), "epoch": int.from_bytes(data[55:59], "big"), "conversation": data[59:91].hex()}
    head |= {"reply": data[91:1307].hex(), "counter": int.from_bytes(data[1307:1315], "big"), "tool": data[1315] == 1, "first": data[1316] == 1}
    head |= {"name": data[1341:name_end].hex(), "media_type": kind.decode("ascii")}
    if data[1317]:
        head |= {"last": data[1318] == 1, "part": int.from_bytes(data[1319:1323], "big"), "file": data[1323:1339].hex()}
    demand(head_bytes(head) == data, "the head is not in the one form that there is")
    return head


def submission_mac(head, data, body):
    if head["first"]:
        return bytes(32)
    message = b"daylight-submission/v1 mac\n" + data + body + len(body).to_bytes(8, "big")
    return hmac.digest(bytes.fromhex(head["conversation"]), message, "sha256")


def seal_submission(head, body, recipients):
    data = head_bytes(head)
    zeros = bytes(padded(len(body), "file" in head) - len(body))
    end = submission_mac(head, data, body) + len(body).to_bytes(8, "big")
    return seal_age(data + body + zeros + end, recipients, STANZAS)


def open_submission(newsroom, identity, sealed):
    plain = open_age(sealed, identity, STANZAS)
    demand(len(plain) >= HEAD + 40, "it is too short")
    head, length = read_head(plain[:HEAD]), int.from_bytes(plain[-8:], "big")
    demand(head["newsroom"] == newsroom.hex(), "it is meant for another newsroom")
    body, zeros = plain[HEAD:-40][:length], plain[HEAD:-40][length:]
    demand(len(body) == length and not any(zeros) and padded(length, "file" in head) == length + len(zeros), "it is padded otherwise")
    right = hmac.compare_digest(submission_mac(head, plain[:HEAD], body), plain[-40:-8])
    demand(right or not head["first"], "a first message with an HMAC")
    return head | {"length": length, "authenticated": "first" if head["first"] else "yes" if right else "no"}, body


# --- replies ---------------------------------------------------------------------------------------------------------------------------


def signed(newsroom, recipient, counter, text):
    return REPLY + newsroom + recipient + counter.to_bytes(8, "big") + len(text).to_bytes(8, "big") + text


def seal_reply(newsroom, recipient, counter, editor, text):
    demand(len(text) <= 32768, "a reply has at most 32 KiB")
    signature = editor.sign(signed(newsroom, recipient, counter, text))
    body = text.ljust(4096 if len(text) <= 4096 else 32768, b"\0") + len(text).to_bytes(8, "big")
    return seal_age(REPLY + newsroom + counter.to_bytes(8, "big") + raw(editor.public_key()) + signature + body, [recipient], 1)


def open_reply(newsroom, identity, editor, sealed):
    plain = open_age(sealed, identity, 1)
    demand(len(plain) in (154 + 4096 + 8, 154 + 32768 + 8) and plain[:18] == REPLY, "not a reply of version 1")
    demand(plain[18:50] == newsroom, "it comes from another newsroom")
    demand(plain[58:90] == editor, "it is signed by somebody else")
    counter, length = int.from_bytes(plain[50:58], "big"), int.from_bytes(plain[-8:], "big")
    text, zeros = plain[154:-8][:length], plain[154:-8][length:]
    demand(len(text) == length and not any(zeros) and (length > 4096) == (len(plain) > 9000), "it is padded otherwise")
    try:
        Ed25519PublicKey.from_public_bytes(editor).verify(plain[90:154], signed(newsroom, identity.recipient, counter, text))
    except InvalidSignature:
        raise ValueError("its signature is forged, or was made for something else") from None
    return {"counter": counter, "text": text.decode("utf-8")}


def write(path, data):
    with open(path + ".part", "wb") as out:
        out.write(data)
    os.rename(path + ".part", path)


def run(command, *args):
    read = lambda path: open(path, "rb").read()
    if command == "codename":
        return {what: key.hex() for what, key in codename_keys(bytes.fromhex(args[0]), sys.stdin.read(), args[1]).items()}
    if command == "open":
        head, body = open_submission(bytes.fromhex(args[0]), Identity(bytes.fromhex(args[1])), read(args[2]))
        write(args[3], body)
        return head
    if command == "seal":
        write(args[1], seal_submission(json.loads(read(args[0])), read(args[2]), [parse_recipient(text) for text in args[3:]]))
        return {"recipients": len(args) - 3}
    if command == "open-reply":
        return open_reply(bytes.fromhex(args[0]), Identity(bytes.fromhex(args[1])), bytes.fromhex(args[2]), read(args[3]))
    editor = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args[3]))
    text = sys.stdin.buffer.read()
    write(args[4], seal_reply(bytes.fromhex(args[0]), parse_recipient(args[1]), int(args[2]), editor, text))
    return {"editor": raw(editor.public_key()).hex()}


COMMANDS = {"codename": (2, 2), "open": (4, 4), "seal": (4, 19), "open-reply": (4, 4), "seal-reply": (5, 5)}


def main():
    least, most = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "", (1, 0))
    if not least <= len(sys.argv) - 2 <= most:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(json.dumps(run(*sys.argv[1:])))
    except (ValueError, OSError) as error:
        print(f"open_envelope: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
