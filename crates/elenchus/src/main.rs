//! The binary; [`elenchus::cli`] is what it does.

fn main() -> std::process::ExitCode {
    elenchus::cli::main()
}
