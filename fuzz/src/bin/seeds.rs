//! Writes what each target's fuzzing begins with: `seeds FOLDER` makes `FOLDER/<target>/<number>`, and prints the names of the targets.

use daylight_fuzz::{seeds, targets};
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).expect("usage: seeds FOLDER"));
    for (name, _) in targets::ALL {
        fs::create_dir_all(folder.join(name))?;
        for (number, seed) in seeds::of(name).iter().enumerate() {
            fs::write(folder.join(name).join(format!("seed-{number}")), seed)?;
        }
        println!("{name}");
    }
    Ok(())
}
