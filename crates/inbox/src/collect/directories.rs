use super::Collected;
use crate::carrier::Carrier;
use crate::inbox::{Inbox, int};
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_model::Digest;

/// The setting with the serial of the newest directory that the drop was seen to have.
const AT_DROP: &str = "directory-at-drop";

impl Inbox {
    /// Looks at what the drop shows, and gives it ours.
    pub(super) fn directories(&mut self, carrier: &mut dyn Carrier, collected: &mut Collected) -> Result<()> {
        let ours = self.directory()?;
        let shown = carrier.directory()?;
        if let Some(shown) = &shown {
            match self.made(shown)? {
                None => collected.alarms.push(self.foreign(shown)?),
                Some(serial) => collected.alarms.extend(self.rolled_back(serial)?),
            }
        }
        if let Some(ours) = ours.filter(|ours| shown.as_ref() != Some(ours)) {
            let there = carrier.put_directory(&ours)?;
            // A crash here leaves the drop with a directory that we do not know it has: it is given it again, or seen to show it.
            crash_point("inbox.directory-put");
            if let (true, Some(serial)) = (there, self.made(&ours)?) {
                self.is_at_drop(serial)?;
            }
            collected.directory_put = true;
        }
        Ok(())
    }

    /// Keeps a directory that this desk did not make, for those who look into it. Gives what is to be said.
    fn foreign(&self, shown: &[u8]) -> Result<String> {
        let digest = Digest::of(shown);
        let path = self.root.join(format!("alarm-{}.directory", &digest.to_string()[..16]));
        daylight_durable::write_atomic(&path, shown).map_err(Error::io(&path))?;
        Ok(format!(
            "the drop showed sources a directory of keys that this desk did not make (SHA-256 {digest}): what they sent may have been read by \
             others, and the drop may be in other hands. It is kept in {}",
            path.display()
        ))
    }

    /// What is to be said where the drop shows one of our own that is older than one which it had: sources are kept sealing to keys that were replaced, or to somebody who was
    /// removed. One that was only written on a stick may not have come there yet.
    fn rolled_back(&self, serial: u64) -> Result<Option<String>> {
        let had = self.setting(AT_DROP)?.and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
        let Some(had) = had.filter(|had| *had > serial) else {
            self.is_at_drop(serial)?;
            return Ok(None);
        };
        Ok(Some(format!(
            "the drop showed sources this desk's directory {serial}, though it had directory {had}: somebody put an older one back, or the drop was restored from a \
             copy. What was sent meanwhile may be sealed to keys, or to an editor, that the newer one had removed"
        )))
    }

    fn is_at_drop(&self, serial: u64) -> Result<()> {
        let known = self.setting(AT_DROP)?;
        let bytes = int(serial).to_be_bytes();
        if known.as_deref() == Some(&bytes[..]) { Ok(()) } else { self.set(AT_DROP, &bytes) }
    }
}
