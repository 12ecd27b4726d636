use crate::{NoRandomness, fill_random};
use hpke::rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// The operating system's randomness in the form that HPKE asks for, which knows no errors: one that happens is kept, and what was made is not used.
#[derive(Default)]
pub(super) struct Randomness(Option<NoRandomness>);

impl Randomness {
    /// What was made with it, if there always was some.
    pub(super) fn checked<T>(self, made: T) -> Result<T, NoRandomness> {
        self.0.map_or(Ok(made), Err)
    }
}

impl TryRng for Randomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if let Err(error) = fill_random(bytes) {
            self.0 = Some(error);
        }
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}
