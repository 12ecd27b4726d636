//! What a process does that holds others' secrets for a while: it keeps them out of swap and core files, away from debuggers, and wipes what it gives back.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

static WIPES: AtomicBool = AtomicBool::new(false);

/// The system's allocator, which wipes each block before it gives it back, once [`guard_secrets`] was called: what stood in a request's buffers, in a library's copies and
/// in strings that grew is then nowhere in memory when the request is over. Before that call it costs one comparison.
#[derive(Debug)]
pub struct WipingAllocator;

// SAFETY: every call is passed on to the system's allocator with what it was called with, so its promises are kept; a block is written to only before it is given
// back, within its layout, by the one who owns it.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WIPES.load(Ordering::Relaxed) {
            unsafe { wipe(block, layout.size()) };
        }
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !WIPES.load(Ordering::Relaxed) {
            return unsafe { System.realloc(block, layout, size) };
        }
        // The system's would leave the old block as it was where it moves.
        unsafe {
            let new = System.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                wipe(block, layout.size());
                System.dealloc(block, layout);
            }
            new
        }
    }
}

/// Overwrites a block, in a way that is not left out because nobody reads it again.
#[allow(unsafe_code)]
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller owns these bytes.
    unsafe { std::ptr::write_bytes(block, 0, size) };
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    std::hint::black_box(block);
}

/// What of it the system gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarded {
    /// Whether no page of this process is ever written to swap.
    pub locked: bool,
}

/// From now on the process leaves no core file, cannot be debugged or read by others of its user, wipes the memory that it gives back, and, where its limit on locked
/// memory allows (`LimitMEMLOCK=infinity`), is never written to swap. To be called before other threads start. Errors: what was refused; then it should not hold secrets.
pub fn guard_secrets() -> std::io::Result<Guarded> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    WIPES.store(true, Ordering::Relaxed);
    Ok(Guarded { locked: lock_memory() })
}

/// With a limit, memory that comes later could be refused, and that would end the process; so it is locked only where there is none.
pub(crate) fn lock_memory() -> bool {
    let unlimited = getrlimit(Resource::Memlock).maximum.is_none();
    let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    if !unlimited && getrlimit(Resource::Memlock).current.is_some() {
        return false;
    }
    // SAFETY: mlockall changes how the kernel treats our pages, and nothing that is in them.
    #[allow(unsafe_code)]
    let result = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) };
    result == 0
}
