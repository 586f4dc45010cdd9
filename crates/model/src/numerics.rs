//! What the bits of a result depend on beside the program: libtorch and the instructions that its kernels use.

use std::ffi::c_char;

unsafe extern "C" {
    /// `aoti_torch_abi_version` of libtorch's C interface: major, minor and patch, a byte each, from the highest.
    fn aoti_torch_abi_version() -> u64;

    /// `at::get_cpu_capability`, a C++ function that writes a `std::string` where its hidden first argument points.
    #[link_name = "_ZN2at18get_cpu_capabilityB5cxx11Ev"]
    fn get_cpu_capability(string: *mut CxxString);
}

/// libstdc++'s `std::string`. A text of up to 15 letters stands inside, and then there is nothing to free.
#[repr(C)]
struct CxxString {
    data: *const c_char,
    length: usize,
    inside: [u8; 16],
}

/// Two programs that agree in all of this, and run the same code, come to the same bits.
pub fn numerics() -> [(&'static str, String); 3] {
    [("device", "cpu".to_owned()), ("libtorch", libtorch()), ("cpu", cpu())]
}

fn libtorch() -> String {
    // SAFETY: the function takes nothing and gives a number.
    let [major, minor, patch, ..] = unsafe { aoti_torch_abi_version() }.to_be_bytes();
    format!("{major}.{minor}.{patch}")
}

/// The instruction set that libtorch has chosen: `AVX2`, `AVX512`, `DEFAULT`, …
fn cpu() -> String {
    let mut string = CxxString { data: std::ptr::null(), length: 0, inside: [0; 16] };
    // SAFETY: the space is a string's, and the function fills it; its names are short, so they stand inside.
    unsafe { get_cpu_capability(&mut string) };
    String::from_utf8_lossy(string.inside.get(..string.length).unwrap_or_default()).into_owned()
}
