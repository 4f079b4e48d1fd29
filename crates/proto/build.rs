// SPDX-License-Identifier: Apache-2.0
//! Compiles the .proto files with protox, so that no protoc binary is needed.

use prost::Message as _;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        ["lazaret/v1/scan.proto", "lazaret/v1/control.proto", "lazaret/v1/uplink.proto"],
        ["proto"],
    )?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), files.encode_to_vec())?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
