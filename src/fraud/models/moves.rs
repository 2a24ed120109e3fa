//! Which models move when one does. Pure.

use super::{ModelRow, ModelState, ModelsRefused, Move};

/// Bytes of a version's name.
pub(super) const NAME_BYTES_MAX: usize = 64;

/// Names that are routes.
const TAKEN: [&str; 3] = ["comparison", "drift", "rollback"];

pub(super) fn check_name(version: &str) -> Result<(), ModelsRefused> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let well_formed = (1..=NAME_BYTES_MAX).contains(&version.len())
        && version.bytes().all(plain)
        && version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !TAKEN.contains(&version);
    if well_formed { Ok(()) } else { Err(ModelsRefused::BadName) }
}

fn find<'a>(rows: &'a [ModelRow], version: &str) -> Result<&'a ModelRow, ModelsRefused> {
    let found = rows.iter().find(|row| row.version == version);
    found.ok_or_else(|| ModelsRefused::NoSuchModel(version.to_owned()))
}

/// Those who stand in a place make room first, so that no place is ever taken twice.
fn into(rows: &[ModelRow], found: &ModelRow, to: ModelState, room: ModelState) -> Vec<Move> {
    let stands = rows.iter().filter(|row| row.state == to);
    stands.map(|row| row.moved(room)).chain([found.moved(to)]).collect()
}

/// What is moved so that a model is watched.
pub(super) fn watching(rows: &[ModelRow], version: &str) -> Result<Vec<Move>, ModelsRefused> {
    let found = find(rows, version)?;
    match found.state {
        ModelState::Live => Err(ModelsRefused::IsLive(version.to_owned())),
        // Doing it twice is the normal case.
        ModelState::Shadow => Ok(Vec::new()),
        ModelState::Candidate | ModelState::Retired => {
            Ok(into(rows, found, ModelState::Shadow, ModelState::Candidate))
        }
    }
}

/// What is moved so that a model is watched no longer.
pub(super) fn unwatching(rows: &[ModelRow], version: &str) -> Result<Vec<Move>, ModelsRefused> {
    let found = find(rows, version)?;
    match found.state {
        ModelState::Shadow => Ok(vec![found.moved(ModelState::Candidate)]),
        _ => Err(ModelsRefused::NotWatched(version.to_owned())),
    }
}

/// What is moved so that a model's score decides.
pub(super) fn going_live(rows: &[ModelRow], version: &str) -> Result<Vec<Move>, ModelsRefused> {
    let found = find(rows, version)?;
    match found.state {
        ModelState::Live => Err(ModelsRefused::IsLive(version.to_owned())),
        _ => Ok(into(rows, found, ModelState::Live, ModelState::Retired)),
    }
}

/// What a rollback moves. The former model may be watched by now, or a candidate again.
pub(super) fn way_back(
    rows: &[ModelRow],
    former: Option<&str>,
) -> Result<Vec<Move>, ModelsRefused> {
    let live = rows.iter().find(|row| row.state == ModelState::Live);
    let mut moves = vec![live.ok_or(ModelsRefused::NothingLive)?.moved(ModelState::Retired)];
    let former = former.and_then(|former| rows.iter().find(|row| row.version == former));
    moves.extend(former.map(|row| row.moved(ModelState::Live)));
    Ok(moves)
}
