//! The tests that run the whole program from outside: its commands, its pages, what it does with bad input, and the map of its code.
//! They know the program by what anybody can see of it: arguments, exit codes, output, files and HTTP answers.
#![cfg(test)]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod aics_cross_check;
mod architecture;
mod bombs;
mod browser;
mod care;
mod commands;
mod crashes;
mod deploy;
mod drop_attacks;
mod drop_load;
mod drop_pages;
mod drop_status;
mod drop_tor;
mod drop_wire;
mod export;
mod faults;
mod go_cross_check;
mod inbox;
mod keys_online;
mod large;
mod licences;
mod mirroring;
mod mutations;
mod operator_lost;
mod pages;
mod pictures;
mod recognition;
mod rereading;
mod samples;
mod seal;
mod second_envelope;
mod second_verifier;
mod secure;
mod signing;
mod source_tool;
mod support;
mod unpacking;
mod withdrawal;
mod witnessing;
