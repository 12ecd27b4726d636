//! The demonstration: a made-up trove, and nothing else of its own; `daylight demo` takes it through the same code as any other.

pub(crate) mod trove;
