//! Which system calls a process may make. docs/sandbox.md says the same for people; a test holds the two together.

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

/// What any process needs to live and to die, and what no argument can make dangerous.
const LIVING: &[c_long] = &[
    // Memory, but none that can be run (below).
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // The seeds of hash tables, and clocks where the kernel maps none.
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    // Waiting, for a lock or a while.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
    // Dying of an overflow of the stack or by abort: a handler runs, and a signal is raised to oneself (below).
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What a reader needs beside it.
const READER: &[c_long] = &[
    // Its input: the next request from descriptor 0 (below), and a file that came with one, always at a stated place: `read` and `lseek` would move
    // a position that the parent shares.
    libc::SYS_pread64,
    libc::SYS_fstat,
    libc::SYS_close,
];

/// What a library may try in good faith and can do without: looking for a file (a time zone, a font), for the number of processors, for a terminal. It gets
/// an error and goes on. Everything else that is not allowed ends the process.
const REFUSED: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_sched_getaffinity,
    libc::SYS_ioctl,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
];

/// What an attendant needs beside it: to read, write and wait for what is open. None of it takes a path or makes anything.
const ATTENDANT: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_shutdown,
    libc::SYS_close,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];

/// What no system tool may do, though it may do most things: speak to others, watch or signal them, become or start another, change the machine.
const TOOL_REFUSED: &[c_long] = &[
    // The network, and any other socket. `io_uring` could do both unseen.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other processes.
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    // The machine, and parts of the kernel that few programs need and many attacks used.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_vhangup,
    libc::SYS_personality,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

/// What of these a process that speaks to others may do.
const ONLINE: &[c_long] = &[libc::SYS_socket, libc::SYS_socketpair];

/// What such a process may not do besides: become another program, be spoken to by whoever comes, change what has a name.
const ONLINE_REFUSED: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Its flags cannot be seen from here.
    libc::SYS_openat2,
    libc::SYS_truncate,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Leaves a reader its few calls, for good.
pub(super) fn enter_reader() -> Result<(), String> {
    let process = u64::from(rustix::process::getpid().as_raw_nonzero().get().unsigned_abs());
    let mut allowed = always(LIVING.iter().chain(READER).chain(REFUSED));
    for (call, conditions) in reader_conditions(process) {
        allowed.entry(call).or_default().push(rule(conditions)?);
    }
    let refused = always(REFUSED.iter());
    // The stricter of two answers holds.
    for (rules, others, these) in [
        (refused, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32)),
        (allowed, SeccompAction::KillProcess, SeccompAction::Allow),
    ] {
        apply_filter(&compile(rules, others, these)?).map_err(|error| format!("seccomp cannot be set up: {error}"))?;
    }
    Ok(())
}

/// What a reader needs with these arguments and no others; a call may stand here twice.
fn reader_conditions(process: u64) -> Vec<(c_long, Vec<Condition>)> {
    let is = |argument, value| (argument, SeccompCmpOp::Eq, value);
    let not_run = (2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    vec![
        (libc::SYS_recvmsg, vec![is(0, 0)]),
        (libc::SYS_write, vec![is(0, 1)]),
        // What the system's own library says as it dies, which goes nowhere.
        (libc::SYS_write, vec![is(0, 2)]),
        (libc::SYS_mmap, vec![not_run.clone()]),
        (libc::SYS_mprotect, vec![not_run]),
        // Whether a descriptor is still open, which builds for tests ask before they close it.
        (libc::SYS_fcntl, vec![is(1, libc::F_GETFD as u64)]),
        (libc::SYS_tgkill, vec![is(0, process), is(2, libc::SIGABRT as u64)]),
    ]
}

/// Leaves an attendant its few calls, for good. What else it tries gets an error: a library goes on without.
pub(crate) fn enter_attendant() -> Result<(), String> {
    let process = u64::from(rustix::process::getpid().as_raw_nonzero().get().unsigned_abs());
    let mut allowed = always(LIVING.iter().chain(ATTENDANT));
    for (call, conditions) in attendant_conditions(process) {
        allowed.entry(call).or_default().push(rule(conditions)?);
    }
    let filter = compile(allowed, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    apply_filter(&filter).map_err(|error| format!("seccomp cannot be set up: {error}"))
}

/// What an attendant needs with these arguments and no others; a call may stand here twice.
fn attendant_conditions(process: u64) -> Vec<(c_long, Vec<Condition>)> {
    let is = |argument, value| (argument, SeccompCmpOp::Eq, value);
    let not_run = (2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    // Memory that the limit on it would not count.
    let its_own = (3, SeccompCmpOp::MaskedEq((libc::MAP_SHARED | libc::MAP_GROWSDOWN) as u64), 0);
    let asked = [libc::F_GETFD, libc::F_GETFL, libc::F_SETFL];
    let mut conditions = vec![
        // As plain reading and writing: other flags reach parts of the kernel that nobody here needs.
        (libc::SYS_recvfrom, vec![is(3, 0)]),
        (libc::SYS_sendto, vec![is(3, libc::MSG_NOSIGNAL as u64)]),
        (libc::SYS_mmap, vec![not_run.clone(), its_own]),
        (libc::SYS_mprotect, vec![not_run]),
        (libc::SYS_tgkill, vec![is(0, process), is(2, libc::SIGABRT as u64)]),
    ];
    conditions.extend(asked.map(|asked| (libc::SYS_fcntl, vec![is(1, asked as u64)])));
    conditions
}

/// What a system tool may not do. It gets an error, since much of this is tried in good faith. The programs are made before a process is, for that
/// allocates; [`apply`] does not.
pub(crate) fn tool_programs() -> Result<Vec<BpfProgram>, String> {
    refusing(TOOL_REFUSED.iter().copied(), Vec::new())
}

/// What a process that speaks to others, and does nothing else, may not do. It gets an error, too.
pub(crate) fn online_programs() -> Result<Vec<BpfProgram>, String> {
    let calls = TOOL_REFUSED.iter().filter(|call| !ONLINE.contains(call)).chain(ONLINE_REFUSED).copied();
    // Sockets of the internet and of this machine, and those by which names are looked up.
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let others = families.map(|family| (0, SeccompCmpOp::Ne, family as u64)).to_vec();
    let mut some = vec![(libc::SYS_socket, others)];
    // Whatever opens a file for more than reading: by one of its flags, or by another.
    let flags = [
        (libc::O_ACCMODE, libc::O_WRONLY),
        (libc::O_ACCMODE, libc::O_RDWR),
        (libc::O_ACCMODE, libc::O_ACCMODE),
        (libc::O_CREAT, libc::O_CREAT),
        (libc::O_TRUNC, libc::O_TRUNC),
    ];
    let mut opening = vec![(libc::SYS_openat, 2)];
    #[cfg(target_arch = "x86_64")]
    opening.push((libc::SYS_open, 1));
    for (call, argument) in opening {
        some.extend(flags.map(|(mask, flag)| (call, vec![(argument, SeccompCmpOp::MaskedEq(mask as u64), flag as u64)])));
    }
    refusing(calls, some)
}

/// Refuses these calls, and some others with these arguments; a call may stand in the second list more than once.
fn refusing(calls: impl Iterator<Item = c_long>, some: Vec<(c_long, Vec<Condition>)>) -> Result<Vec<BpfProgram>, String> {
    // A second number for each call, from an interface of 32 bits that few kernels have, and three calls that have others there.
    let twice = |call: &c_long| [*call, *call | 0x4000_0000];
    let others = if cfg!(target_arch = "x86_64") { [0x4000_0209, 0x4000_021b, 0x4000_021c].as_slice() } else { &[] };
    let numbers: Vec<c_long> = calls.flat_map(|call| twice(&call)).chain(others.iter().copied()).collect();
    let mut refused = always(numbers.iter());
    // A thread is made by the call that makes a process.
    let a_process = (0, SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64), 0);
    let of_another = (0, SeccompCmpOp::Ne, 0);
    let these = [(libc::SYS_clone, vec![a_process]), (libc::SYS_prlimit64, vec![of_another])];
    for (call, conditions) in these.into_iter().chain(some) {
        for call in twice(&call) {
            refused.entry(call).or_default().push(rule(conditions.clone())?);
        }
    }
    // The arguments of its successor cannot be seen from here; without it libraries fall back to `clone`.
    let unknown = always(twice(&libc::SYS_clone3).iter());
    let error = |number: i32| SeccompAction::Errno(number as u32);
    Ok(vec![compile(refused, SeccompAction::Allow, error(libc::EPERM))?, compile(unknown, SeccompAction::Allow, error(libc::ENOSYS))?])
}

/// Puts filters in force. It allocates nothing unless it fails.
pub(crate) fn apply(programs: &[BpfProgram]) -> Result<(), seccompiler::Error> {
    programs.iter().try_for_each(|program| apply_filter(program))
}

/// An argument of a call, how it is compared, and with what.
type Condition = (u8, SeccompCmpOp, u64);

fn rule(conditions: Vec<Condition>) -> Result<SeccompRule, String> {
    let one = |(argument, how, value)| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value);
    conditions.into_iter().map(one).collect::<Result<_, _>>().and_then(SeccompRule::new).map_err(|error| error.to_string())
}

fn always<'a>(calls: impl Iterator<Item = &'a c_long>) -> Rules {
    calls.map(|call| (*call, Vec::new())).collect()
}

fn compile(rules: Rules, others: SeccompAction, these: SeccompAction) -> Result<BpfProgram, String> {
    let why = |error: seccompiler::BackendError| format!("seccomp cannot be set up: {error}");
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(why)?;
    SeccompFilter::new(rules, others, these, machine).and_then(BpfProgram::try_from).map_err(why)
}

#[cfg(test)]
mod tests {
    /// People are told of each call that a reader may make, or is only told no.
    #[test]
    fn the_documentation_names_every_call() {
        let (code, told) = (include_str!("seccomp.rs"), include_str!("../../../../docs/sandbox.md"));
        let (lists, rest) = code.split_once("const TOOL_REFUSED").unwrap();
        let conditions = rest.split("fn reader_conditions").nth(1).unwrap().split("/// What a system tool").next().unwrap();
        let calls: Vec<_> = [lists, conditions].iter().flat_map(|part| part.split("libc::SYS_").skip(1)).collect();
        assert!(calls.len() > 40, "{}", calls.len());
        for call in calls {
            let name = call.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            assert!(told.contains(&format!("`{name}`")), "docs/sandbox.md does not name {name}");
        }
    }
}
