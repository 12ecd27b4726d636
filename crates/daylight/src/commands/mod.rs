//! One module for each thing a person can ask for. What is here reads arguments, calls a library and prints; decisions live in the libraries.

pub(crate) mod care;
pub(crate) mod clear;
pub(crate) mod demo;
pub(crate) mod desk;
pub(crate) mod dkim;
pub(crate) mod doctor;
pub(crate) mod drop;
pub(crate) mod export;
pub(crate) mod inbox;
pub(crate) mod ingest;
pub(crate) mod life;
pub(crate) mod mirror;
pub(crate) mod prove;
pub(crate) mod publish;
pub(crate) mod recognise;
pub(crate) mod rereading;
pub(crate) mod root;
pub(crate) mod seal;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod sign;
pub(crate) mod source;
pub(crate) mod verify;
pub(crate) mod withdraw;
pub(crate) mod witness;
