//! The embedded database belongs to the user the service runs as: customers stand in it. Whoever
//! else has an account on the machine does not read it.

use std::{io, path::Path};

/// Makes the folder, when it is missing, for this user alone.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the database's file, when it is missing, for this user alone, and takes it and what stands
/// beside it from everybody else. Its log gets the permissions of the file itself. What a group may
/// do stays: a backup may run as one of its members.
#[cfg(unix)]
pub(super) fn take_from_others(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let open = std::fs::File::options().create(true).append(true).mode(0o600).open(file);
    drop(open?);
    for end in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(end);
        let Ok(known) = std::fs::metadata(&path) else { continue };
        let mut permissions = known.permissions();
        if permissions.mode() & 0o007 != 0 {
            permissions.set_mode(permissions.mode() & !0o007);
            std::fs::set_permissions(&path, permissions)?;
        }
    }
    Ok(())
}

/// Where files have no such permissions, the folder's count.
#[cfg(not(unix))]
pub(super) fn take_from_others(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use crate::ledger::database::{Database, DatabaseOptions};
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &std::path::Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    // breaks: leave `take_from_others` out of `Sqlite::open`
    #[tokio::test]
    async fn nobody_else_reads_the_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("data");
        let location = inside.to_str().expect("a readable path");
        let open = async || {
            let database = Database::open(&DatabaseOptions::new(location)).await.expect("it opens");
            database.migrate().await.expect("it migrates");
            let files = ["doorbuster.db", "doorbuster.db-wal"].map(|name| inside.join(name));
            assert!(files.iter().all(|file| mode(file) & 0o007 == 0), "{files:?}");
            assert_eq!(mode(&inside), 0o700);
            files
        };
        let [file, _] = open().await;
        assert_eq!(mode(&file), 0o600);
        // One that an older version has left.
        let open_to_all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&file, open_to_all).expect("it is ours");
        open().await;
        assert_eq!(mode(&file), 0o640);
    }
}
