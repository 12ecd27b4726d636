//! Opening the catalogue: what it must be, and how an older one becomes today's.

use crate::error::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// "DAYL", so that `file` and others can tell a catalogue from any other SQLite file.
const APPLICATION_ID: i64 = 0x4441_594c;

/// The steps from nothing to today's format. A step that was in a release is never changed: another is added.
const MIGRATIONS: [&str; 5] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// Makes the catalogue, or takes up one that a killed `init` left.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    open_with(path, OpenFlags::SQLITE_OPEN_CREATE)
}

/// Opens a catalogue, bringing it to today's format.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    open_with(path, OpenFlags::empty())
}

/// Opens a catalogue for work that sorts all of it: what does not fit into memory is put aside in `aside`, never in the system's temporary folder.
pub(crate) fn open_for_care(path: &Path, aside: &Path) -> Result<Connection> {
    let connection = open(path)?;
    // SQLite takes the name as UTF-8. Where it is not, all is sorted in memory.
    if let Some(aside) = aside.to_str() {
        let aside = aside.replace('\'', "''");
        connection.execute_batch(&format!("PRAGMA temp_store_directory = '{aside}'; PRAGMA temp_store = FILE;"))?;
    }
    connection.execute_batch("PRAGMA secure_delete = ON;")?;
    Ok(connection)
}

fn open_with(path: &Path, create: OpenFlags) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.set_prepared_statement_cache_capacity(128);
    // Else SQLite, built with STAT4, plans a statement anew for every other value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // FULL, because a WAL that is synced only at checkpoints (NORMAL) may lose a committed transaction at power loss, while the index, which is
    // synced after it, would already name documents that are gone. It costs one fsync a transaction, and a transaction holds hundreds of documents.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;",
    )?;
    migrate(&mut connection, path, &MIGRATIONS, !create.is_empty())?;
    Ok(connection)
}

/// Each step is one transaction with its version number: a step that fails leaves the catalogue as it was, and is an error.
fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str], create: bool) -> Result<()> {
    let program = migrations.len() as i64;
    loop {
        let version = version(connection)?;
        check_application(connection, path, version, create)?;
        if version == program {
            return Ok(());
        }
        if version > program {
            let desk = path.parent().unwrap_or(path).to_owned();
            return Err(Error::Newer { path: desk, desk: version, program });
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have done it while we waited for the lock.
        if self::version(&transaction)? == version {
            let step = usize::try_from(version).ok().and_then(|at| migrations.get(at));
            let step = step.ok_or_else(|| Error::damaged(path.display().to_string(), format!("its format is {version}")))?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", version + 1)?;
        }
        transaction.commit()?;
    }
}

fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn check_application(connection: &Connection, path: &Path, version: i64, create: bool) -> Result<()> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let fresh = create && version == 0 && application == 0;
    if application == APPLICATION_ID || fresh {
        return Ok(());
    }
    Err(Error::damaged(path.display().to_string(), "it is not the catalogue of a desk"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_of_every_earlier_format_is_brought_to_todays() {
        let folder = tempfile::tempdir().unwrap();
        for earlier in 1..MIGRATIONS.len() {
            let path = folder.path().join(format!("{earlier}.sqlite"));
            let mut connection = Connection::open(&path).unwrap();
            migrate(&mut connection, &path, &MIGRATIONS[..earlier], true).unwrap();
            connection.execute("INSERT INTO collection (name) VALUES ('kept')", []).unwrap();
            drop(connection);
            let connection = open(&path).unwrap();
            assert_eq!(version(&connection).unwrap(), MIGRATIONS.len() as i64);
            assert!(connection.prepare("SELECT verdicts FROM verdict").is_ok());
            assert!(connection.prepare("SELECT outcome FROM recognised").is_ok());
            assert!(connection.prepare("SELECT seen FROM draft, stale").is_ok());
            assert!(connection.prepare("SELECT language FROM words").is_ok());
            assert!(connection.prepare("SELECT 1 FROM collection WHERE name = 'kept'").unwrap().exists([]).unwrap());
        }
    }

    #[test]
    fn a_failed_step_is_an_error_and_leaves_the_format_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.sqlite");
        let mut connection = create(&path).unwrap();
        let today = MIGRATIONS.len() as i64;
        let with = |step| MIGRATIONS.into_iter().chain([step]).collect::<Vec<_>>();
        let steps = with("CREATE TABLE extra (x); SELECT no_such_thing();");
        assert!(migrate(&mut connection, &path, &steps, false).is_err());
        assert_eq!(version(&connection).unwrap(), today);
        assert!(connection.prepare("SELECT * FROM extra").is_err());
        migrate(&mut connection, &path, &with("CREATE TABLE extra (x);"), false).unwrap();
        assert_eq!(version(&connection).unwrap(), today + 1);
        let error = open(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("format {}", today + 1)) && error.contains(&format!("up to {today}")), "{error}");
    }
}
