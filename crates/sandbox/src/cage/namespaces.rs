//! A user namespace, and in it a network and an IPC namespace with nothing in them.

use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags, capabilities, set_capabilities, unshare_unsafe};

/// Whether the kernel gave them; a container's may not. Capabilities are gone in either case.
pub(crate) fn enter() -> Result<bool, String> {
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWIPC;
    // SAFETY: this is unsafe for the sake of `FILES`, which would part the descriptors of threads: it is not among the flags.
    #[allow(unsafe_code)]
    let given = unsafe { unshare_unsafe(flags) }.is_ok();
    // The first process of a user namespace has every right in it, and one that root started may have them over the machine. Who has none need not be allowed to give them up.
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    if !capabilities(None).is_ok_and(|held| held == none) {
        set_capabilities(None, none).map_err(|error| format!("its rights cannot be given up: {error}"))?;
    }
    Ok(given)
}
