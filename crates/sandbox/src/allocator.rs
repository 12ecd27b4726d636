/// Keeps the allocator from holding on to what was given back. Left to itself glibc raises the size from which a block is taken from the system and
/// returned to it, up to 32 MiB, each time that such a block is freed; what is smaller then comes out of arenas, of which every thread has one, and
/// stays there: an ingest of ten times the mail held twice the memory. To be called before other threads start.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// The size that glibc begins with; setting it is what keeps it.
        const LARGE: libc::c_int = 128 << 10;
        /// With three, threads waited for one another's locks for a tenth of an ingest; more than eight gain nothing.
        const ARENAS: libc::c_int = 8;
        // SAFETY: mallopt changes numbers in the allocator, under its lock, and touches no memory of ours.
        #[allow(unsafe_code)]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        }
    }
}

/// Has the allocator keep what was given back, in a process that does not live long: to get a page again costs more than to have kept it.
pub(crate) fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 4 << 20;
        const MOST: libc::c_int = 32 << 20;
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, MOST);
            libc::mallopt(libc::M_TOP_PAD, 256 << 10);
        }
    }
}
