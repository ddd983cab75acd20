//! Packs the files of the catalogue for the program: as JSON, which is read at the start in less time and memory than
//! TOML, and compressed. Which providers there are, and in which order, is said in `src/catalog/load.rs`.
//!
//! And tells the linker which functions to lay side by side, where it is known to be one that takes such an order.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told everything by its environment"
)]

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use toml::{Table, Value};

const FOLDER: &str = "src/catalog";
const ORDER: &str = "build/start.ld";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={FOLDER}");
    println!("cargo:rerun-if-changed=build.rs");
    order()?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let folder = Path::new(FOLDER);
    let families = Value::Table(read(&folder.join("families.toml"))?);
    fs::write(out.join("families.json.z"), packed(&families)?)?;
    let mut providers = Table::new();
    for entry in fs::read_dir(folder.join("providers"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| format!("{}: not a name", path.display()))?;
        providers.insert(name.to_owned(), Value::Table(read(&path)?));
    }
    let providers = Value::Table(providers);
    fs::write(out.join("providers.json.z"), packed(&providers)?)?;
    Ok(())
}

/// Hands `build/start.ld` to the linker of a release. On this target it is LLD unless somebody chose another, and others
/// may not take it; without it the program is the same, and takes up more memory.
fn order() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ORDER}");
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    let flags = set("CARGO_ENCODED_RUSTFLAGS");
    let chosen = !set("RUSTC_LINKER").is_empty() || flags.contains("link");
    let fits = set("TARGET") == "x86_64-unknown-linux-gnu" && set("PROFILE") == "release";
    if fits && !chosen {
        let path = fs::canonicalize(ORDER)?;
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", path.display());
    }
    Ok(())
}

/// A file of the catalogue; what is wrong with it is said with its line.
fn read(path: &Path) -> Result<Table, String> {
    let wrong = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    text.parse().map_err(|error: toml::de::Error| wrong(&error))
}

fn packed(value: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&serde_json::to_vec(value)?)?;
    Ok(packed.finish()?)
}
