//! Threads for tensor work. Each has one libtorch thread and takes whole jobs: at this size, two jobs on two threads
//! are faster than one job spread over two, and what a job computes cannot depend on how many threads there are.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does every job on one of `workers` threads; results are in the order of the jobs. `context` is called here, once for
/// each thread, and makes what that thread needs of its own: tensors can be sent to a thread but not shared.
pub fn parallel<Job: Sync, Context: Send, Output: Send>(
    workers: usize,
    jobs: &[Job],
    context: impl Fn() -> Context,
    work: impl Fn(&Context, &Job) -> Output + Sync,
) -> Vec<Output> {
    keep_memory();
    let taken = AtomicUsize::new(0);
    let worker = |context: Context| {
        tch::set_num_threads(1);
        let mut done = Vec::new();
        while let Some((number, job)) = next(&taken, jobs) {
            done.push((number, work(&context, job)));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.clamp(1, jobs.len().max(1)))
            .map(|_| {
                let context = context();
                scope.spawn(|| worker(context))
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    done.sort_unstable_by_key(|&(number, _)| number);
    done.into_iter().map(|(_, output)| output).collect()
}

/// The first job that nobody has taken.
fn next<'a, Job>(taken: &AtomicUsize, jobs: &'a [Job]) -> Option<(usize, &'a Job)> {
    let number = taken.fetch_add(1, Ordering::Relaxed);
    jobs.get(number).map(|job| (number, job))
}

/// Has freed memory kept for the next tensor. By default glibc gives every large block back to the kernel, which then
/// clears it page by page for the next one: a fifth of the time of training a small model.
fn keep_memory() {
    #[cfg(target_env = "gnu")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: mallopt sets three numbers of the allocator, which it guards with a lock of its own.
        ONCE.call_once(|| unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
            libc::mallopt(libc::M_TOP_PAD, 64 << 20);
        });
    }
}
