use std::ops::Deref;

/// Evidence that editors cleared what it holds. It is made in one place, from decisions that were looked up there and then; nobody else can make one.
#[derive(Debug)]
pub struct Cleared<T>(T);

impl<T> Cleared<T> {
    /// Only for what was just found cleared, or was drafted from what was: see the callers.
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Cleared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
