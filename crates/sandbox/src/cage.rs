//! The cage that a reader enters before it reads a byte. It can be entered, and never left.
//!
//! Four layers, so that what matters is refused twice, by parts of the kernel that do not share their mistakes:
//!
//! | layer | what it takes away | where it is missing |
//! |---|---|---|
//! | limits | memory and processor time without end, written files, more processes (but root's), core dumps | nothing is read |
//! | namespaces | the network: an empty one of its own; rights over the machine: a user namespace of its own, and no capability in it | reported; containers forbid them |
//! | Landlock | every path, TCP, signals to others, tracing | reported; see below |
//! | seccomp | every system call but the few that a reader makes | nothing is read |
//!
//! *Landlock is asked for always and required where the kernel has it.* A kernel without it (before 5.13, or built so) does not leave a path in reach:
//! the list of system calls has none that takes a path, so that seccomp alone refuses them all. What must hold is therefore stated as what was seen:
//! before a program reads anything, it is started caged and tries a file, a socket and a process, and nothing is read unless all three are refused. Which
//! layers stand behind that, `daylight doctor` says.
//!
//! *Which namespaces, and why no others.* Each must bring what no other layer brings. A network namespace is the second wall before the network, for Landlock
//! knows only TCP; it costs 0.6 ms. A user namespace is what lets it be made without rights, and holds those of a root that was started as such. IPC costs little. A
//! mount namespace would hide paths that are behind two walls already, a PID namespace processes that seccomp and Landlock do not let be signalled or
//! traced, at the price of one more process a lease.

mod landlock;
mod limits;
pub(crate) mod namespaces;
pub(crate) mod seccomp;

/// One layer of the cage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Limits on resources.
    Limits,
    /// Namespaces for users, network and IPC, and no capabilities.
    Namespaces,
    /// Landlock.
    Landlock,
    /// Seccomp.
    Seccomp,
}

impl Layer {
    /// All of them, in the order in which they are entered.
    pub const ALL: [Self; 4] = [Self::Limits, Self::Namespaces, Self::Landlock, Self::Seccomp];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Layer::Limits => "limits",
            Layer::Namespaces => "namespaces",
            Layer::Landlock => "landlock",
            Layer::Seccomp => "seccomp",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of the layers. Only a trial, which reads nothing, is ever caged with less than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layers(pub(crate) u8);

impl Layers {
    pub(crate) const ALL: Self = Self(0b1111);

    pub(crate) fn only(layer: Layer) -> Self {
        Self(layer.bit())
    }

    fn has(self, layer: Layer) -> bool {
        self.0 & layer.bit() != 0
    }
}

/// What the kernel gave of what it may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caged {
    /// The version of Landlock in force; 0 if there is none.
    pub landlock: u8,
    /// Whether the namespaces were given.
    pub namespaces: bool,
}

/// What a worker may use up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// Address space, in bytes.
    pub(crate) memory: u64,
    /// Processor time, in seconds.
    pub(crate) seconds: u64,
}

/// The layers that are the same for every lease, in force.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    landlock: u8,
    namespaces: bool,
}

impl Shared {
    /// What the kernel gave of it.
    pub(crate) fn caged(self) -> Caged {
        Caged { landlock: self.landlock, namespaces: self.namespaces }
    }
}

/// Enters the layers that are the same for every lease, in the only thread of a process that is copied for each. An error means that nothing may be read.
pub(crate) fn enter_shared() -> Result<Shared, String> {
    let namespaces = namespaces::enter()?;
    Ok(Shared { landlock: landlock::enter()?, namespaces })
}

/// Enters these layers of the cage, as far as the process is not in them. It must be called in the only thread of the process. An error means that nothing may be read.
pub(crate) fn enter(layers: Layers, shared: Option<Shared>, allowance: Allowance) -> Result<Caged, String> {
    let namespaces = match shared {
        Some(shared) => shared.namespaces,
        None => layers.has(Layer::Namespaces) && namespaces::enter()?,
    };
    if layers.has(Layer::Limits) {
        limits::enter(allowance)?;
    }
    let landlock = match shared {
        Some(shared) => shared.landlock,
        None if layers.has(Layer::Landlock) => landlock::enter()?,
        None => 0,
    };
    if layers.has(Layer::Seccomp) {
        seccomp::enter_reader()?;
    }
    Ok(Caged { landlock, namespaces })
}

pub use landlock::confine_to;
pub(crate) use landlock::{Paths, available as landlock_available, online_only};
pub(crate) use limits::{Limit, set as limit};
