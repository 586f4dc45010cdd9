//! Lets the binary find libtorch where it was found at build time, so that `cargo run` needs no environment variable.

fn main() {
    if let Ok(library) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{library}");
    }
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
}
