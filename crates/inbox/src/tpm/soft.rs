//! A TPM in memory that knows the six commands, written from the specification's tables and not with the code that it tests.

use super::Tpm;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub(crate) struct Index {
    pub(crate) public: Vec<u8>,
    pub(crate) password: Vec<u8>,
    pub(crate) data: Option<Vec<u8>>,
}

#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) indices: BTreeMap<u32, Index>,
    /// How many indices there is room for; nothing says without end.
    pub(crate) room: Option<usize>,
    pub(crate) owner: Vec<u8>,
    /// Results given before anything else, the last first.
    pub(crate) first: Vec<u32>,
    /// At most so many handles in an answer.
    pub(crate) listed: usize,
    pub(crate) asked: Vec<u32>,
}

/// The chip, of which copies are the same one.
#[derive(Clone, Default)]
pub(crate) struct Chip(pub(crate) Arc<Mutex<Memory>>);

impl Chip {
    pub(crate) fn tpm(&self) -> Tpm {
        let tpm = Tpm::at(Path::new("/soft"));
        *tpm.line.lock().unwrap() = Some(Box::new(Wire { chip: self.clone(), answer: Vec::new() }));
        tpm
    }

    pub(crate) fn handles(&self) -> Vec<u32> {
        self.0.lock().unwrap().indices.keys().copied().collect()
    }

    pub(crate) fn state(&self) -> BTreeMap<u32, Index> {
        self.0.lock().unwrap().indices.clone()
    }
}

struct Wire {
    chip: Chip,
    answer: Vec<u8>,
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer = self.chip.0.lock().unwrap().answer(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // In pieces, as a socket may.
        let length = self.answer.len().min(buffer.len()).min(7);
        buffer[..length].copy_from_slice(&self.answer[..length]);
        self.answer.drain(..length);
        Ok(length)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

impl Memory {
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let authorised = u16_at(command, 0) == 0x8002;
        assert_eq!((u32_at(command, 2) as usize, authorised || u16_at(command, 0) == 0x8001), (command.len(), true));
        let code = u32_at(command, 6);
        self.asked.push(code);
        if let Some(result) = self.first.pop() {
            return refusal(result);
        }
        let handles = match code {
            0x17a => 0,
            0x12a | 0x169 => 1,
            0x122 | 0x137 | 0x14e => 2,
            _ => return refusal(0x143),
        };
        let mut rest = &command[10 + 4 * handles..];
        let handle = |number: usize| u32_at(command, 10 + 4 * number);
        let mut password = Vec::new();
        if authorised {
            let length = u32_at(rest, 0) as usize;
            let session = &rest[4..4 + length];
            assert_eq!((u32_at(session, 0), &session[4..7]), (0x4000_0009, &[0; 3][..]));
            password = session[9..].to_vec();
            assert_eq!(u16_at(session, 7), password.len());
            rest = &rest[4 + length..];
        }
        match self.run(code, &(0..handles).map(handle).collect::<Vec<_>>(), &password, rest) {
            Err(result) => refusal(result),
            Ok(parameters) => {
                let mut body = parameters.clone();
                if authorised {
                    body = [&(parameters.len() as u32).to_be_bytes()[..], &parameters, &[0, 0, 1, 0, 0]].concat();
                }
                let tag: u16 = if authorised { 0x8002 } else { 0x8001 };
                [&tag.to_be_bytes()[..], &(10 + body.len() as u32).to_be_bytes(), &[0; 4], &body].concat()
            }
        }
    }

    fn run(&mut self, code: u32, handles: &[u32], password: &[u8], rest: &[u8]) -> Result<Vec<u8>, u32> {
        let owned = handles.first() == Some(&0x4000_0001);
        if owned && password != self.owner {
            return Err(0x9a2);
        }
        match code {
            0x17a => Ok(self.capability(u32_at(rest, 0), u32_at(rest, 4), u32_at(rest, 8) as usize)),
            0x169 => {
                let index = self.indices.get(&handles[0]).ok_or(0x18bu32)?;
                Ok([sized(&index.public), sized(&[1; 34])].concat())
            }
            0x12a => {
                let password = rest[2..2 + u16_at(rest, 0)].to_vec();
                let public = rest[2 + password.len()..][2..].to_vec();
                let policy = u16_at(&public, 10);
                assert_eq!((public.len(), u16_at(rest, 2 + password.len())), (14 + policy, public.len()));
                if self.indices.contains_key(&u32_at(&public, 0)) {
                    return Err(0x14c);
                }
                if self.room.is_some_and(|room| self.indices.len() >= room) {
                    return Err(0x14b);
                }
                self.indices.insert(u32_at(&public, 0), Index { public, password, data: None });
                Ok(Vec::new())
            }
            0x122 => self.indices.remove(&handles[1]).map(|_| Vec::new()).ok_or(0x28b),
            _ => self.data(code, handles, password, rest),
        }
    }

    fn data(&mut self, code: u32, handles: &[u32], password: &[u8], rest: &[u8]) -> Result<Vec<u8>, u32> {
        assert_eq!(handles[0], handles[1]);
        let index = self.indices.get_mut(&handles[0]).ok_or(0x18bu32)?;
        if password != index.password {
            return Err(0x9a2);
        }
        if code == 0x14e {
            assert_eq!(rest, [0, 32, 0, 0]);
            return index.data.clone().map(|data| sized(&data)).ok_or(0x14a);
        }
        assert_eq!((u16_at(rest, 0), rest.len()), (32, 36));
        index.data = Some(rest[2..34].to_vec());
        // TPMA_NV_WRITTEN, bit 29 of the attributes.
        index.public[6] |= 0x20;
        Ok(Vec::new())
    }

    fn capability(&self, kind: u32, from: u32, count: usize) -> Vec<u8> {
        if kind == 6 {
            assert_eq!((from, count), (0x105, 1));
            return [&[1, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 1, 5][..], b"SOFT"].concat();
        }
        let count = if self.listed == 0 { count } else { count.min(self.listed) };
        let all: Vec<u32> = self.indices.range(from..).map(|(handle, _)| *handle).collect();
        let some = &all[..all.len().min(count)];
        let mut bytes = vec![u8::from(some.len() < all.len()), 0, 0, 0, 1];
        bytes.extend_from_slice(&(some.len() as u32).to_be_bytes());
        some.iter().for_each(|handle| bytes.extend_from_slice(&handle.to_be_bytes()));
        bytes
    }
}

fn refusal(result: u32) -> Vec<u8> {
    [&[0x80, 1, 0, 0, 0, 10][..], &result.to_be_bytes()].concat()
}
