//! The house rules, checked: who may import whom, which framework lives where, how long things may
//! get, what must be said at each door. Reads files and nothing else; complains as
//! `file:line: what and why`. Each check has a self-test that feeds it a bad sample.

#[path = "tidy/budgets.rs"]
mod budgets;
#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/doors.rs"]
mod doors;
#[path = "tidy/figures.rs"]
mod figures;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/layout.rs"]
mod layout;
#[path = "tidy/logs.rs"]
mod logs;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/words.rs"]
mod words;

use code::Source;
use std::{fs, path::Path};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of ours with one of these endings, below these folders.
fn read(folders: &[&str], endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), endings, &mut found);
    }
    found.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    found
}

fn walk(at: &Path, endings: &[&str], found: &mut Vec<Source>) {
    if at.is_file() {
        let name = at.to_string_lossy();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let path = at.strip_prefix(root()).expect("below the root").to_string_lossy();
            let text = fs::read_to_string(at).expect("sources are UTF-8");
            found.push(Source::new(&path, &text));
        }
        return;
    }
    let Ok(entries) = fs::read_dir(at) else { return };
    for entry in entries {
        let path = entry.expect("a folder that can be listed").path();
        if path.file_name().is_some_and(|name| name != "target" && name != "data") {
            walk(&path, endings, found);
        }
    }
}

/// What is written for people: at the root, and in `docs`.
fn texts() -> Vec<Source> {
    let at_root = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs"];
    read(&at_root, &[".md"])
}

fn rust() -> Vec<Source> {
    read(&["src", "tests", "benches", "load-tests"], &[".rs"])
}

fn product() -> Vec<Source> {
    read(&["src"], &[".rs"])
}

#[track_caller]
fn tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "the house is not tidy:\n{}\n", complaints.join("\n"));
}

#[test]
fn imports_go_down_only() {
    tidy(&imports::order(&product()));
}

#[test]
fn what_serves_scores_leans_on_nothing_offline() {
    tidy(&imports::offline(&product()));
}

#[test]
fn frameworks_stay_at_their_addresses() {
    tidy(&imports::frameworks(&product()));
}

#[test]
fn files_functions_and_lines_stay_short() {
    let all = rust();
    let mut complaints = budgets::files(&all);
    complaints.extend(budgets::functions(&all));
    complaints.extend(budgets::columns(&all));
    complaints.extend(budgets::median(&product()));
    tidy(&complaints);
}

#[test]
fn nothing_unwraps_outside_tests() {
    tidy(&words::unwraps(&product()));
}

// breaks: log `order = %order` somewhere in src
#[test]
fn lines_of_the_log_are_found_by_ids() {
    tidy(&logs::fields(&product()));
}

#[test]
fn nothing_is_left_undone() {
    let folders = ["src", "tests", "benches", "load-tests", "migrations", "models", ".ci"];
    let endings = [".rs", ".sql", ".md", ".toml", ".py", "run"];
    tidy(&words::undone(&read(&folders, &endings)));
    tidy(&words::undone(&texts()));
    tidy(&words::undone(&read(&["Cargo.toml"], &[""])));
}

// breaks: link docs/NOWHERE.md in README.md, or README.md#nothing
#[test]
fn documents_lead_to_what_exists() {
    let others = ["tests", "load-tests", "benches", "models", "migrations"];
    let mut all = texts();
    all.extend(read(&others, &[".md"]));
    tidy(&documents::links(&all, |path| root().join(path).exists()));
}

// breaks: rename `Checkout::recover`, or name another file in docs/ARCHITECTURE.md
#[test]
fn documents_name_code_that_exists() {
    tidy(&documents::code(&texts(), |path| fs::read_to_string(root().join(path)).ok()));
}

// breaks: put 1,300 more characters into README.md
#[test]
fn the_readme_is_short() {
    tidy(&read(&["README.md"], &[""]).iter().flat_map(documents::length).collect::<Vec<_>>());
}

#[test]
fn every_door_says_what_is_behind_it() {
    tidy(&doors::slices(&product()));
    tidy(&doors::files(&rust()));
    tidy(&doors::map(&product()));
}

#[test]
fn every_file_is_named_by_its_noun() {
    tidy(&layout::names(&rust()));
}

#[test]
fn the_top_level_shows_the_house() {
    let list = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("a folder that can be listed").file_name().to_string_lossy().into_owned()
    };
    let names: Vec<String> = fs::read_dir(root()).expect("the repository").map(list).collect();
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    tidy(&layout::top_level(&names, &ignored));
}

#[test]
fn migrations_stand_in_pairs_of_pairs() {
    let sources = read(&["migrations"], &[".sql"]);
    let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    tidy(&layout::migrations(&paths));
}

#[test]
fn every_figure_is_taken() {
    tidy(&figures::taken(&product()));
}
