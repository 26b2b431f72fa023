//! temporary stand-in
use crate::domain::{
    Error, Position, Result,
    ports::{Batch, Store, Transaction, Unit},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};
type Job = Box<
    dyn FnOnce(
            Arc<dyn Store>,
            Arc<dyn Fn(Batch) + Send + Sync>,
        ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
        + Send,
>;
#[derive(Debug, Clone)]
pub struct Committer {
    jobs: mpsc::Sender<Job>,
}
#[derive(Debug)]
pub struct Committed<T> {
    pub output: T,
    pub first: Position,
}
impl Committer {
    pub fn start(store: Arc<dyn Store>, publish: impl Fn(Batch) + Send + Sync + 'static) -> Self {
        let (jobs, mut rx) = mpsc::channel::<Job>(1000);
        let publish: Arc<dyn Fn(Batch) + Send + Sync> = Arc::new(publish);
        tokio::spawn(async move {
            while let Some(job) = rx.recv().await {
                job(store.clone(), publish.clone()).await;
            }
        });
        Self { jobs }
    }
    pub async fn submit<U: Unit>(&self, unit: U) -> Result<Committed<U::Output>> {
        let (tx, rx) = oneshot::channel();
        let job: Job = Box::new(move |store, publish| {
            Box::pin(async move {
                let result = async {
                    let mut t = store.begin().await?;
                    match unit.run(&mut *t as &mut dyn Transaction).await {
                        Ok(output) => {
                            let batch = t.commit().await?;
                            let first = batch.events.first().map_or(Position(0), |e| e.position);
                            publish(batch);
                            Ok(Committed { output, first })
                        }
                        Err(e) => {
                            t.roll_back().await?;
                            Err(e)
                        }
                    }
                }
                .await;
                let _ = tx.send(result);
            })
        });
        self.jobs.send(job).await.map_err(|_| Error::Stopping)?;
        rx.await.map_err(|_| Error::Internal)?
    }
    pub fn stalled_for(&self) -> Duration {
        Duration::ZERO
    }
    pub async fn drain(&self) {}
}
