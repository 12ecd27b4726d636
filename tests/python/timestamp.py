"""Makes a proof as OpenTimestamps does: timestamp.py STAMPED PROOF [HEIGHT]. Without a height a calendar only promises one."""
import os, sys
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import StreamDeserializationContext, StreamSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

with open(sys.argv[1], "rb") as stamped: proof = DetachedTimestampFile.from_fd(OpSHA256(), stamped)
end = proof.timestamp.ops.add(OpAppend(b"nonce of a client")).ops.add(OpSHA256())
end.attestations.add(PendingAttestation("https://calendar.example"))
root = b""
if len(sys.argv) == 4:
    block = end.ops.add(OpPrepend(b"\x01" * 32)).ops.add(OpSHA256()).ops.add(OpSHA256())
    block.attestations.add(BitcoinBlockHeaderAttestation(int(sys.argv[3])))
    root = block.msg[::-1]
with open(sys.argv[2], "wb") as file: proof.serialize(StreamSerializationContext(file))
with open(sys.argv[2], "rb") as file: assert DetachedTimestampFile.deserialize(StreamDeserializationContext(file)) == proof
print(proof.file_digest.hex(), root.hex())
