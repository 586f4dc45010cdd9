//! How long it takes to plan a file, from its text to the checked graph: `cargo run --release --example planning -- STAGES`.

use elenchus::wiring::load::load;
use spec::Sources;
use std::{env, error::Error, fmt::Write, path::Path, time::Instant};

/// A file of so many stages, each of which builds on those before it.
fn file(stages: usize) -> String {
    let mut text =
        "seed = 1\nbatches = 100\n\n[sample.s0]\ntask = { name = \"web-of-lies\", depth = [0, 4] }\nrows = 64\n"
            .to_owned();
    for number in 1..stages {
        let before = number - 1;
        let stage = match number % 3 {
            0 => format!("[join.s{number}]\nfrom = \"s{before}\"\nwith = \"s0\"\non = [\"id\"]\nhow = \"semi\"\n"),
            1 => format!("[filter.s{number}]\nfrom = \"s{before}\"\ncondition = \"depth >= {number} % 4\"\n"),
            _ => format!("[sql.s{number}]\nfrom = \"s{before}\"\nquery = \"SELECT id, text, depth FROM s{before}\"\n"),
        };
        write!(text, "\n{stage}").expect("a string takes all");
    }
    text
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let stages = env::args().nth(1).ok_or("STAGES")?.parse()?;
    let text = file(stages);
    let mut seconds: Vec<f64> = Vec::new();
    for _ in 0..21 {
        let started = Instant::now();
        let sources = Sources::of_text("pipeline.toml", Path::new("."), &text);
        let loaded = load(&sources, |_| {}).map_err(|failure| failure.text())?;
        assert_eq!(loaded.plan.nodes.len(), stages);
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("{:.1} {:.1} {:.1}", seconds[0] * 1e3, seconds[10] * 1e3, seconds[20] * 1e3);
    Ok(())
}
