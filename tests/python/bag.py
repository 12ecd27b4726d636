"""Has others' programs read what was exported: bag.py BAG. The bag's checksums (RFC 8493), and the RO-Crate in it."""
import sys
import bagit
from rocrate.rocrate import ROCrate

bag = bagit.Bag(sys.argv[1])
bag.validate()
assert bag.is_valid(fast=True), "the Payload-Oxum is wrong"
crate = ROCrate(sys.argv[1] + "/data")
print("valid", bag.info["Payload-Oxum"], "crate", crate.version, len(list(crate.get_entities())))
