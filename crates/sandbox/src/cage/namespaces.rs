//! A user namespace, and in it a network and an IPC namespace with nothing in them.

use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities, unshare_unsafe};

/// Whether the kernel gave them; a container's may not. Capabilities are gone in either case.
pub(crate) fn enter() -> Result<bool, String> {
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWIPC;
    // SAFETY: this is unsafe for the sake of `FILES`, which would part the descriptors of threads: it is not among the flags.
    #[allow(unsafe_code)]
    let given = unsafe { unshare_unsafe(flags) }.is_ok();
    // The first process of a user namespace has every right in it, and one that root started may have them over the machine.
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(|error| format!("its rights cannot be given up: {error}"))?;
    Ok(given)
}
