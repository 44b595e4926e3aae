//! The router as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

#[cfg(feature = "conformance")]
mod batch_jobs;
mod batch_plan;
#[cfg(feature = "conformance")]
mod cache;
mod cache_aware;
mod call_estimates;
mod cascade;
mod constraints;
mod genai_prices;
#[cfg(feature = "conformance")]
mod invocation;
mod learned;
mod learned_policy;
mod models;
mod names;
mod online;
mod selection;
mod statistics;
mod texts;
mod tokens;

#[test]
fn values_can_be_shared_between_threads_and_shown() {
    use bursar_model_router::*;
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<AnswerCache>();
    shared::<BatchError>();
    shared::<BatchJob>();
    shared::<BatchPlan>();
    shared::<BatchRunner>();
    shared::<CachedAnswer>();
    shared::<ChatAnswer>();
    shared::<ChatRequest>();
    shared::<ClientError>();
    shared::<Collected>();
    shared::<InvocationError>();
    shared::<Invoker>();
    shared::<MemoryCache>();
}

#[test]
fn what_waits_can_be_spawned() {
    use bursar_model_router::*;
    fn spawned<T: Send>(_: impl Fn() -> T) {}
    fn unmade<T>() -> T {
        panic!("nothing is run here")
    }
    spawned(|| async {
        let (cache, call) = unmade::<(AnswerCache, fn() -> std::future::Ready<_>)>();
        let (request, model): (ChatRequest, ModelId) = unmade();
        let (task, complexity) = (TaskType::Analysis, Complexity::Simple);
        let asked = CacheRequest {
            request: &request,
            model: &model,
            task,
            complexity,
        };
        cache.answer(&asked, call).await
    });
    spawned(|| async {
        let (invoker, request): (Invoker, ChatRequest) = unmade();
        let answer = invoker.invoke(&[], &request, 0).await;
        (answer, invoker.stream(&[], &request, 0).await)
    });
    spawned(|| async {
        let (runner, planned, id): (BatchRunner, PlannedJob, JobId) = unmade();
        let job = runner.submit(&planned, id, jiff::Timestamp::MIN).await;
        (job, runner.recover().await)
    });
}
