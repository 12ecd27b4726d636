/// A value that a reader of hostile bytes gave us. It must be looked at (lengths, ranges, counts) before it is used, and `check` is the one way to
/// get at it, so that every place which trusts such a value can be found by name.
#[derive(Debug, Clone)]
pub struct Untrusted<T>(T);

impl<T> Untrusted<T> {
    /// Marks a value as coming from a process that read hostile bytes.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value to `check`, which either accepts it (perhaps changed) or says why not.
    pub fn check<U, E>(self, check: impl FnOnce(T) -> Result<U, E>) -> Result<U, E> {
        check(self.0)
    }
}
