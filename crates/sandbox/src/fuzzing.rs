//! A door to the framing, open in builds of `fuzz/` alone.

use crate::wire::{Answer, HEADER, get_answer, get_order, get_terms, header, put_event, put_order, put_terms};
use daylight_model::reading::{Event, Request};

/// Reads bytes as frames of either direction. What was understood is the same once it is written and read again.
pub fn frames(mut bytes: &[u8]) {
    while let Ok(Some((kind, length))) = header(bytes) {
        let Some((payload, rest)) = bytes[HEADER..].split_at_checked(length) else { return };
        let mut again = Vec::new();
        if let Ok(Answer::Event(event)) = get_answer(kind, payload) {
            put_event(&mut again, &event);
            assert_eq!(get_answer(again[0], &again[HEADER..]), Ok(Answer::Event(event)));
        }
        if let Ok(order) = get_order(kind, payload) {
            again.clear();
            put_order(&mut again, &order.request, order.inline);
            assert_eq!(get_order(again[0], &again[HEADER..]), Ok(order));
        }
        if let Ok(terms) = get_terms(kind, payload) {
            again.clear();
            put_terms(&mut again, &terms);
            assert_eq!(get_terms(again[0], &again[HEADER..]), Ok(terms));
        }
        bytes = rest;
    }
}

/// An event as a frame, to begin with.
pub fn event(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    put_event(&mut out, event);
    out
}

/// A request as a frame.
pub fn order(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    put_order(&mut out, request, Some(7));
    out
}
