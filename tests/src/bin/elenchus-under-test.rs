//! The `elenchus` command, built beside the tests so that they can start it and kill it.

fn main() {
    elenchus::verbs::cli::main()
}
