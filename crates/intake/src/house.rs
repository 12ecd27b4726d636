//! What the server keeps for all visitors: the store, the sessions, the limits, the newsroom's keys. It never sees a request: each visitor has an attendant, a process of its own,
//! which asks here for what it needs ([`crate::hatch`]).

mod counter;

pub(crate) use counter::{Counter, Hours, Orders};

use crate::circuits::{Circuit, Circuits, Open, Place};
use crate::days::{Days, Mark};
use crate::newsroom::{DropError, Home};
use crate::places::{PLACES, Places};
use crate::sessions::Sessions;
use crate::store::{Store, StoreError, today};
use std::path::Path;
use std::sync::Arc;

/// The drop, without its visitors.
pub(crate) struct House {
    pub(crate) home: Home,
    store: Arc<Store>,
    sessions: Sessions,
    circuits: Circuits,
    places: Places,
    days: Days,
}

impl House {
    /// Opens a drop's folder, for so many connections at once.
    pub(crate) fn open(home: &Path, lines: usize) -> Result<Self, DropError> {
        let opened = Home::open(home)?;
        let store = Arc::new(Store::open(home, opened.settings.reserve)?);
        let house = Self {
            home: opened,
            store,
            sessions: Sessions::new()?,
            circuits: Circuits::default(),
            // Uploads that have a place are not cut: there must be lines that can be.
            places: Places::new(PLACES.min(lines / 2)),
            days: Days::open(home),
        };
        // What could not be done of it, on a full disk say, is tried again in a minute: the newsroom must be able to fetch what is here.
        let _ = house.new_day(today());
        Ok(house)
    }

    /// What is due at the beginning of a day.
    pub(crate) fn new_day(&self, today: u32) -> Result<(), StoreError> {
        if let Some(keys) = self.home.keys() {
            keys.prepare(today);
        }
        self.store.midnight(today).map(|_| ())
    }

    /// What is due every minute.
    pub(crate) fn sweep(&self) {
        self.sessions.sweep();
        self.circuits.sweep();
    }

    /// A place for a connection, unless its circuit has too many.
    pub(crate) fn connect(&self, circuit: Circuit) -> Option<Place> {
        self.circuits.open(circuit, Open::Connection)
    }

    /// Files of the store that are not of its form.
    pub(crate) fn damaged(&self) -> &[std::path::PathBuf] {
        self.store.damaged()
    }

    /// Why the directory that lies here is not used, if it is not.
    pub(crate) fn unused_directory(&self) -> Option<&str> {
        self.home.unused.as_deref()
    }

    /// Notes of today that something was so, if it is not noted yet.
    fn note(&self, mark: Mark) {
        let today = today();
        if !self.days.has(mark, today) {
            self.days.note(mark, today);
        }
    }
}
