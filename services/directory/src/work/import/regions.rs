//! The region tree.

use std::path::Path;

use bangban_kit::{identity::Caller, refusal::Refusal, scope::Scope};
use bangban_proto::bangban::directory::v1::{District, RegionsImported, directory_act::Act};
use bangban_store::{Error, Now, error::retried, write};

use super::{ImportError, ImportReport};
use crate::{
    Directory, SERVICE,
    domain::{
        complaint::Complaint,
        regions::{LEVELS, Level, Tree},
    },
    store::{lock, regions, resource::Place},
    work::{On, touch},
};

fn read(folder: &Path) -> Tree {
    let mut tree = Tree::default();
    for level in &LEVELS {
        if let Err(error) = read_level(&mut tree, folder, level) {
            let line = error.position().map_or(0, csv::Position::line);
            tree.wrong.push(unreadable(level, line, &error));
        }
    }
    if tree.regions.is_empty() && tree.wrong.is_empty() {
        let (zh, en) = ("文件中没有任何区划", "the files hold no region");
        tree.wrong.push(Complaint::new(LEVELS[0].file, 0, zh, en));
    }
    tree
}

fn read_level(tree: &mut Tree, folder: &Path, level: &Level) -> Result<(), csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(folder.join(level.file))?;
    let header = reader.headers()?.iter().collect::<Vec<_>>();
    let Some(columns) = tree.header(level, &header) else {
        return Ok(());
    };
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                tree.row(level, columns, line, &record.iter().collect::<Vec<_>>());
            }
            // What is no text is a bad row; when the file cannot be read on, its end is reached.
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                tree.wrong.push(unreadable(level, line, &error));
                if error.is_io_error() {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn unreadable(level: &Level, line: u64, error: &csv::Error) -> Complaint {
    let (zh, en) = (
        format!("无法读取：{error}"),
        format!("cannot be read: {error}"),
    );
    Complaint::new(level.file, line, zh, en)
}

impl Directory {
    /// Imports a region tree from the five files in `folder`; readers see the old one until all of it is there.
    /// `progress` is told how many rows of how many are written.
    ///
    /// # Errors
    /// Every bad row with file and line; [`ImportError::Running`]; the database's.
    pub async fn import_regions(
        &self,
        folder: &Path,
        progress: impl Fn(u64, u64),
    ) -> Result<ImportReport, ImportError> {
        // Held to the end: what another import has written so far would be swept away as a broken one's.
        let lock = lock::take(&self.store, &self.config.data)
            .await?
            .ok_or(ImportError::Running)?;
        let imported = self.import_alone(folder, progress).await;
        lock.give_back().await;
        imported
    }

    async fn import_alone(
        &self,
        folder: &Path,
        progress: impl Fn(u64, u64),
    ) -> Result<ImportReport, ImportError> {
        let folder = folder.to_owned();
        let tree = tokio::task::spawn_blocking(move || read(&folder))
            .await
            .map_err(|e| Error::from(Refusal::internal(e)))?;
        if !tree.wrong.is_empty() {
            return Err(ImportError::Wrong(tree.wrong));
        }
        let now = self.store.now().await?;
        let imported = RegionsImported {
            data_set: uuid::Uuid::now_v7().simple().to_string(),
            region_count: tree.regions.len() as u64,
        };
        let data_set = &imported.data_set;
        regions::write(&self.store, data_set, &tree.regions, now.us(), &progress).await?;
        retried(async || self.put_in_force(&imported, now).await).await?;
        self.store.woken();
        self.known.lock().await.clear();
        regions::sweep(&self.store).await?;
        Ok(ImportReport {
            written: imported.region_count,
            data_set: imported.data_set,
            ..ImportReport::default()
        })
    }

    /// Lets readers see a data set that is whole, and records it.
    async fn put_in_force(&self, imported: &RegionsImported, now: Now) -> Result<(), Error> {
        let on = On {
            caller: Caller::system(SERVICE),
            scope: Scope::whole(""),
            district: District::default(),
            now,
        };
        let place = Place::new(&on.scope, "regions", "regions");
        let found = self
            .row::<RegionsImported>(&on.scope, place.kind, &place.id)
            .await?;
        let act = Act::RegionsImported(imported.clone());
        let step = on.put(&place, found.as_ref(), (act, imported.clone()));
        let transaction = write::begin(&self.store.db).await?;
        regions::activate(&self.store, &transaction, &imported.data_set).await?;
        touch(&transaction, step.states).await?;
        self.store.append(&transaction, &step.chain, None).await?;
        transaction.commit().await?;
        Ok(())
    }
}
