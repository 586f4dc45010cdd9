//! The binary; [`elenchus::verbs::cli`] is what it does.

/// Tables come and go with every batch, and the system's allocator would give their memory back each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    elenchus::verbs::cli::main()
}
