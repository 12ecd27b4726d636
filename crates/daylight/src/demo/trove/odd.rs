//! What every real trove holds besides: messages without an identity or with an impossible date, copies, damage, locked files.

use super::random::Random;
use super::zip::locked;
use super::{Place, Written};

/// The odd files, by their path in the trove. One is a copy of a message of the Maildir, byte for byte.
pub(super) fn files(written: &[Written]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> =
        LETTERS.iter().map(|(name, text)| (format!("odd/{name}.eml"), text.as_bytes().to_vec())).collect();
    if let Some(original) = written.iter().find(|message| message.place == Place::Maildir) {
        files.push(("odd/copy.eml".to_owned(), original.bytes.clone()));
    }
    files.push(("odd/no-charset.eml".to_owned(), NO_CHARSET.to_vec()));
    let notes = noise(1_900);
    files
        .push(("odd/telephone-notes.zip".to_owned(), locked(&[("notes/2014-10-14.txt", &notes), ("notes/2015-05-11.txt", &notes[900..])])));
    files.push(("odd/handover.gpg".to_owned(), [b"\x85\x01\x0c\x03".as_slice(), &noise(4_096)].concat()));
    files.push(("odd/untitled.txt".to_owned(), Vec::new()));
    files.push(("odd/gauge-board.txt".to_owned(), GAUGE.as_bytes().to_vec()));
    files
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::new(length as u64);
    (0..length).map(|_| random.next() as u8).collect()
}

const LETTERS: [(&str, &str); 7] = [
    (
        "no-message-id",
        "From: Web form <form@brackwater.example>\nTo: Ruth Amory <ruth.amory@brackwater.example>\nSubject: Tell the clerk\nDate: Wed, 11 Feb 2015 23:48:10 +0000\n\n\
         name: (none)\nmessage: Ask how many holes they skipped. Ask to see the diary. Ask who paid for the dinner.\n",
    ),
    (
        "clock-never-set",
        "Received: from gatehouse (gatehouse.brackwater.example [192.0.2.3])\n\tby mx.brackwater.example with SMTP id 0001; Fri, 12 Feb 2016 18:02:44 +0000\n\
         From: Gauge <gauge@brackwater.example>\nTo: Owen Petrie <owen.petrie@brackwater.example>\nSubject: ALARM level\nDate: Thu, 01 Jan 1970 00:00:41 +0000\n\
         Message-ID: <41@gatehouse>\n\nLEVEL RISING. BATTERY LOW. SET CLOCK.\n",
    ),
    (
        "from-the-future",
        "From: Gauge <gauge@brackwater.example>\nTo: Owen Petrie <owen.petrie@brackwater.example>\nSubject: ALARM P7\nDate: Tue, 31 Dec 2199 23:59:59 +0000\n\
         Message-ID: <42@gatehouse>\n\nP7 ABOVE RANGE. CLOCK SET.\n",
    ),
    (
        "cut-off",
        "From: Petra Novak <petra.novak@tidewell.example>\nTo: Hesper Orrin <h.orrin@orrinpike.example>\nSubject: photographs of hole 23\n\
         Date: Fri, 21 Aug 2015 23:05:00 +0100\nMessage-ID: <holes-23@tidewell.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"cut\"\n\n\
         --cut\nContent-Type: text/plain\n\nThe line keeps dropping. If this does not arrive whole I will bring it on paper.\n\n--cut\n\
         Content-Type: image/jpeg\nContent-Disposition: attachment; filename=\"hole 23.jpg\"\nContent-Transfer-Encoding: base64\n\n\
         /9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a\nHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgND",
    ),
    (
        "same-id-1",
        "From: Imogen Vale <press@brackwater.example>\nTo: all staff <staff@brackwater.example>\nSubject: Talking to newspapers\n\
         Date: Fri, 05 Jun 2015 09:00:00 +0100\nMessage-ID: <notice@brackwater.example>\n\nAll questions about the reservoir go to the press office. All of them.\n",
    ),
    (
        "same-id-2",
        "From: Imogen Vale <press@brackwater.example>\nTo: all staff <staff@brackwater.example>\nSubject: Talking to newspapers (corrected)\n\
         Date: Fri, 05 Jun 2015 09:20:00 +0100\nMessage-ID: <notice@brackwater.example>\n\nAll questions about the reservoir go to the Director of Works. \
         The press office has none.\n",
    ),
    (
        "answers-itself",
        "From: Owen Petrie <owen.petrie@brackwater.example>\nTo: Owen Petrie <owen.petrie@brackwater.example>\nSubject: Note to self\n\
         Date: Sun, 03 May 2015 06:10:00 +0100\nMessage-ID: <self@gatehouse>\nIn-Reply-To: <self@gatehouse>\nReferences: <self@gatehouse> <self@gatehouse>\n\n\
         Paint is running out. Red, not white, white does not show on the grass.\n",
    ),
];

/// A header in Latin-1 that says nowhere that it is.
const NO_CHARSET: &[u8] =
    b"From: =?x-unknown?Q?Caf=E9_Regatta?= <cafe@lowervalley.example>\nTo: Ruth Amory <ruth.amory@brackwater.example>\n\
Subject: Men\xfa del comit\xe9, 16 de mayo\nDate: Mon, 11 May 2015 12:30:00 +0200\nMessage-ID: <menu@lowervalley.example>\n\n\
Queridos amigos: el men\xfa de la cena del s\xe1bado, con pescado del embalse. \xbfCu\xe1ntos ser\xe1n?\n";

const GAUGE: &str = "What is scratched into the gauge board, copied 3 October 2014 (O.P.)\n\n1961  full\n1976  empty, church seen\n1998  last drill\n\
2013  joint 11/12 like a fingernail\n2014  joint 11/12 like a pencil\n";
