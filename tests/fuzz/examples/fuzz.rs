//! Runs one target, named by `PARLOIR_FUZZ_TARGET`. Built by `tests/run fuzz` it is libFuzzer and takes its arguments;
//! built like anything else it tries each file that it is given, once.

use std::env;

use parloir_fuzz::Target;

fn main() {
    let target = env::var("PARLOIR_FUZZ_TARGET")
        .ok()
        .and_then(|name| Target::named(&name));
    let Some(target) = target else {
        for target in parloir_fuzz::TARGETS {
            println!("{}", target.name);
        }
        return;
    };
    run(target);
}

#[cfg(not(fuzzing))]
fn run(target: &'static Target) {
    for file in env::args().skip(1) {
        let input = std::fs::read(&file).expect("a file that can be read");
        target.run(&input);
        println!("{}: {file} is fine", target.name);
    }
}

#[cfg(fuzzing)]
#[expect(unsafe_code, reason = "libFuzzer is C++")]
fn run(target: &'static Target) {
    use std::{
        ffi::{CString, c_char, c_int},
        panic,
        process::abort,
        ptr, slice,
        sync::OnceLock,
    };

    static TARGET: OnceLock<&Target> = OnceLock::new();

    unsafe extern "C" {
        fn LLVMFuzzerRunDriver(
            argc: *mut c_int,
            argv: *mut *mut *mut c_char,
            callback: extern "C" fn(*const u8, usize) -> c_int,
        ) -> c_int;
    }

    extern "C" fn try_one(data: *const u8, size: usize) -> c_int {
        // SAFETY: libFuzzer hands over `size` bytes, which live until this returns; none of them: any pointer.
        let input = if size == 0 {
            &[]
        } else {
            unsafe { slice::from_raw_parts(data, size) }
        };
        TARGET.get().expect("set below").run(input);
        0
    }

    let _ = TARGET.set(target);
    // Also in a task of a runtime, which would swallow it: what panics is a finding.
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |about| {
        print(about);
        abort();
    }));
    let arguments = env::args().map(|argument| CString::new(argument).expect("no NUL"));
    let mut arguments: Vec<*mut c_char> = arguments.map(CString::into_raw).collect();
    let mut count = c_int::try_from(arguments.len()).expect("few");
    arguments.push(ptr::null_mut());
    let mut arguments = arguments.as_mut_ptr();
    // SAFETY: both point to what `main` of a C program is given, and outlive the call.
    std::process::exit(unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut arguments, try_one) });
}
