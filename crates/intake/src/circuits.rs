//! How much one visitor may ask for, told apart by the circuit that tor names (`HiddenServiceExportCircuitID haproxy`), never by one limit for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A circuit as tor names it: the last 32 bits of an address of `fc00:dead:beef:4dad::/64`.
pub(crate) type Circuit = Option<u32>;

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// A page or a style sheet.
    Page,
    /// A codename that is made or typed, or a mailbox that is opened.
    Mailbox,
    /// Somebody else's place, where all are taken.
    Place,
}

impl Cost {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 3] = [Self::Page, Self::Mailbox, Self::Place];
}

/// What one circuit may have at once and comes to by the second.
const PURSE: f64 = 120.0;
const INCOME: f64 = 4.0;
const MAILBOX: f64 = 8.0;
const PLACE: f64 = 40.0;
/// How many uploads and how many connections a circuit may have open.
const UPLOADS: u32 = 4;
const CONNECTIONS: u32 = 32;
/// How many circuits are remembered. One that is forgotten begins anew, which costs its owner less than to build another.
const MOST: usize = 50_000;
/// After how long an idle circuit is forgotten: its purse is full again.
const IDLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Purse {
    coins: f64,
    counted: Instant,
    /// What is open, by [`Open`].
    open: [u32; 2],
}

/// All circuits.
#[derive(Debug, Default)]
pub(crate) struct Circuits(Arc<Mutex<HashMap<u32, Purse>>>);

/// What a circuit may have some of at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// An upload.
    Upload,
    /// A connection.
    Connection,
}

/// Something open that counts for its circuit until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Mutex<HashMap<u32, Purse>>>, Circuit, Open);

fn locked(purses: &Mutex<HashMap<u32, Purse>>) -> MutexGuard<'_, HashMap<u32, Purse>> {
    purses.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The circuit of the line that tor sends first (the PROXY protocol, version 1); `Err` if the line is of another form.
pub(crate) fn circuit(line: &str) -> Result<Circuit, ()> {
    let mut words = line.trim_end_matches(['\r', '\n']).split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some("PROXY"), Some("UNKNOWN"), _) => Ok(None),
        (Some("PROXY"), Some("TCP6"), Some(source)) => {
            let address: std::net::Ipv6Addr = source.parse().map_err(|_| ())?;
            Ok(Some(address.to_bits() as u32))
        }
        (Some("PROXY"), Some("TCP4"), Some(_)) => Ok(None),
        _ => Err(()),
    }
}

impl Circuits {
    /// Whether a circuit may do this now. Where no circuit is named there is nothing to tell visitors apart by, and no limit.
    pub(crate) fn allows(&self, circuit: Circuit, cost: Cost) -> bool {
        let Some(circuit) = circuit else { return true };
        let price = match cost {
            Cost::Page => 1.0,
            Cost::Mailbox => MAILBOX,
            Cost::Place => PLACE,
        };
        let mut purses = locked(&self.0);
        let purse = purse(&mut purses, circuit);
        let allowed = purse.coins >= price;
        if allowed {
            purse.coins -= price;
        }
        allowed
    }

    /// Opens something, unless the circuit has as many of it as it may.
    pub(crate) fn open(&self, circuit: Circuit, what: Open) -> Option<Place> {
        if let Some(circuit) = circuit {
            let mut purses = locked(&self.0);
            let open = &mut purse(&mut purses, circuit).open[what as usize];
            if *open >= if what == Open::Upload { UPLOADS } else { CONNECTIONS } {
                return None;
            }
            *open += 1;
        }
        Some(Place(self.0.clone(), circuit, what))
    }

    /// How many uploads a circuit has open. Where none is named each visitor has one.
    pub(crate) fn uploads(&self, circuit: Circuit) -> u32 {
        circuit.map_or(1, |circuit| locked(&self.0).get(&circuit).map_or(0, |purse| purse.open[Open::Upload as usize]))
    }

    /// Forgets circuits that have done nothing for a while.
    pub(crate) fn sweep(&self) {
        locked(&self.0).retain(|_, purse| purse.open != [0; 2] || purse.counted.elapsed() < IDLE);
    }
}

fn purse(purses: &mut HashMap<u32, Purse>, circuit: u32) -> &mut Purse {
    if purses.len() >= MOST && !purses.contains_key(&circuit) {
        purses.retain(|_, purse| purse.open != [0; 2]);
    }
    let purse = purses.entry(circuit).or_insert_with(|| Purse { coins: PURSE, counted: Instant::now(), open: [0; 2] });
    let earned = purse.counted.elapsed().as_secs_f64() * INCOME;
    purse.coins = (purse.coins + earned).min(PURSE);
    purse.counted = Instant::now();
    purse
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(circuit) = self.1
            && let Some(purse) = locked(&self.0).get_mut(&circuit)
        {
            let open = &mut purse.open[self.2 as usize];
            *open = open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_circuit_that_asks_too_much_stops_nobody_else() {
        let circuits = Circuits::default();
        let logins = (0..100).filter(|_| circuits.allows(Some(1), Cost::Mailbox)).count();
        assert_eq!(logins, 15);
        assert!(circuits.allows(Some(2), Cost::Mailbox) && circuits.allows(None, Cost::Mailbox));
        let open: Vec<_> = (0..10).map_while(|_| circuits.open(Some(1), Open::Upload)).collect();
        assert_eq!(open.len(), 4);
        assert!(circuits.open(Some(2), Open::Upload).is_some());
        assert_eq!((0..100).map_while(|_| circuits.open(Some(1), Open::Connection)).collect::<Vec<_>>().len(), 32);
        drop(open);
        assert!(circuits.open(Some(1), Open::Upload).is_some());
        assert!((0..1000).all(|_| circuits.open(None, Open::Upload).is_some() && circuits.allows(None, Cost::Page)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let circuits = Circuits::default();
        for circuit in 0..MOST as u32 + 10 {
            assert!(circuits.allows(Some(circuit), Cost::Page));
        }
        assert!(locked(&circuits.0).len() <= MOST);
    }

    #[test]
    fn the_line_that_tor_sends_names_a_circuit() {
        let line = "PROXY TCP6 fc00:dead:beef:4dad::ffff:1a2b ::1 65535 42\r\n";
        assert_eq!(circuit(line), Ok(Some(0xffff_1a2b)));
        assert_eq!(circuit("PROXY UNKNOWN\r\n"), Ok(None));
        for wrong in ["", "GET / HTTP/1.1", "PROXY TCP6 x ::1 1 2", "PROXY"] {
            assert_eq!(circuit(wrong), Err(()), "{wrong}");
        }
    }
}
