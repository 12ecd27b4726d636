//! Limits on what a process may use, which it cannot raise again.

use super::Allowance;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// One resource and the most of it.
pub(crate) type Limit = (Resource, u64);

/// How many descriptors a reader may hold: the first three, its input, the next item's, and some to spare.
const DESCRIPTORS: u64 = 64;

pub(super) fn enter(allowance: Allowance) -> Result<(), String> {
    set(&[
        (Resource::As, allowance.memory),
        (Resource::Cpu, allowance.seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Nofile, DESCRIPTORS),
    ])
    .map_err(|(resource, error)| format!("the limit {resource:?} cannot be set: {error}"))
}

/// Sets limits, each as low as asked for or as it is already. It allocates nothing.
pub(crate) fn set(limits: &[Limit]) -> Result<(), (Resource, rustix::io::Errno)> {
    for (resource, most) in limits {
        let hard = getrlimit(*resource).maximum;
        let most = hard.map_or(*most, |hard| hard.min(*most));
        // Where the two are one, a process that used up its time is killed before it is told of what.
        let last = if *resource == Resource::Cpu { hard.map_or(most + 1, |hard| hard.min(most + 1)) } else { most };
        setrlimit(*resource, Rlimit { current: Some(most), maximum: Some(last) }).map_err(|error| (*resource, error))?;
    }
    Ok(())
}
