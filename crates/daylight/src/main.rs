//! The `daylight` command: what was asked for, as one match. Here alone the readers of hostile bytes meet the process that cages them.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod commands;
mod demo;
mod output;
mod place;
mod progress;
mod resolver;
mod when;

use args::{Cli, Command, Dkim, Drop, Key, Root, Witness};
use clap::Parser;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Wipes what it gives back once `drop serve` asks for that; before, it is the system's.
#[global_allocator]
static ALLOCATOR: daylight_sandbox::WipingAllocator = daylight_sandbox::WipingAllocator;

/// What this program is called with to read hostile bytes for itself.
const WORKER: &str = "worker";

/// What this program is called with to talk to a drop for itself, in a process that has no key.
const CARRIER: &str = "carrier";

fn main() -> ExitCode {
    daylight_sandbox::return_freed_memory();
    // Not for people, and started a hundred times a second: no time to learn what else there is to be asked for.
    if std::env::args_os().nth(1).is_some_and(|first| first == WORKER) {
        return daylight_sandbox::worker_main(daylight_extract::prepare, daylight_extract::read);
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == CARRIER) {
        return commands::inbox::carry();
    }
    match run(Cli::parse().command) {
        Ok(code) => code,
        // Whoever read our output has seen enough, as `head` does.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::remark(format_args!("{}", one_line(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(args) => commands::desk::init(&args),
        Command::Ingest(args) => commands::ingest::ingest(&args),
        Command::Recognise(args) => commands::recognise::recognise(&args),
        Command::Status(args) => commands::desk::status(&args),
        Command::Faults(args) => commands::desk::faults(&args),
        Command::Retry(args) => commands::rereading::retry(&args),
        Command::Unlock(args) => commands::rereading::unlock(&args),
        Command::Search(args) => commands::search::search(&args),
        Command::Show(args) => commands::show::show(&args),
        Command::Clear(args) => commands::clear::clear(&args),
        Command::Render(args) => commands::render::render(&args),
        Command::Dkim(Dkim::Import(args)) => commands::dkim::import(&args),
        Command::Dkim(Dkim::List(args)) => commands::dkim::list(&args),
        Command::Dkim(Dkim::Online(args)) => commands::dkim::online(&args),
        Command::Key(Key::New(args)) => commands::publish::key_new(&args),
        Command::Publish(args) => commands::publish::publish(&args),
        Command::Seal(args) => commands::seal::seal(&args),
        Command::Unseal(args) => commands::seal::unseal(&args),
        Command::PublishUnsealed(args) => commands::seal::publish(&args),
        Command::Sign(args) => commands::sign::sign(&args),
        Command::Root(Root::New(args)) => commands::root::new(&args),
        Command::Root(Root::Rotate(args)) => commands::root::rotate(&args),
        Command::Root(Root::Recover(args)) => commands::root::recover(&args),
        Command::Root(Root::Finish(args)) => commands::root::finish(&args),
        Command::Root(Root::Show(args)) => commands::root::show(&args),
        Command::Witness(Witness::Key(args)) => commands::witness::key(&args),
        Command::Witness(Witness::Add(args)) => commands::witness::add(&args),
        Command::Witness(Witness::Serve(args)) => commands::witness::serve(&args),
        Command::Witness(Witness::Status(args)) => commands::witness::status(&args),
        Command::Witness(Witness::Policy(args)) => commands::witness::policy(&args),
        Command::Witness(Witness::Ask(args)) => commands::witness::ask(&args),
        Command::Drop(Drop::Init(args)) => commands::drop::init(&args),
        Command::Drop(Drop::Serve(args)) => commands::drop::serve(&args),
        Command::Drop(Drop::Status(args)) => commands::drop::status(&args),
        Command::Drop(Drop::Export(args)) => commands::drop::export(&args),
        Command::Drop(Drop::Apply(args)) => commands::drop::apply(&args),
        Command::Submit(args) => commands::source::submit(&args),
        Command::Reply(args) => commands::source::reply(&args),
        Command::Drop(Drop::Desk(args)) => commands::inbox::run(&args),
        Command::Serve(args) => commands::serve::serve(&args),
        Command::Index(args) => commands::serve::index(&args),
        Command::Withdraw(args) => commands::withdraw::withdraw(&args),
        Command::Erase(args) => commands::withdraw::erase(&args),
        Command::Heartbeat(args) => commands::withdraw::heartbeat(&args),
        Command::Verify(args) => commands::verify::verify(&args),
        Command::Mirror(args) => commands::mirror::mirror(&args),
        Command::Evidence(args) => commands::mirror::evidence(&args),
        Command::Prove(args) => commands::prove::prove(&args),
        Command::Export(args) => commands::export::export(&args),
        Command::Timestamp(args) => commands::export::timestamp(&args),
        Command::Demo(args) => commands::demo::demo(&args),
        Command::Check(args) => match commands::source::drop_named(&args.place)? {
            Some(drop) => commands::source::check(&drop, &args),
            None => commands::care::check(&args),
        },
        Command::Backup(args) => commands::care::backup(&args),
        Command::Restore(args) => commands::care::restore(&args),
        Command::Forget(args) => commands::care::forget(&args),
        Command::Doctor(args) => commands::doctor::doctor(&args),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe))
}

/// The error and its causes on one line, each cause once.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().replace('\n', " ");
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}
