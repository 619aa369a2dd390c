fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "binding")]
    napi_build::setup();
}
