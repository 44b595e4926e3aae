//! How are many questions asked at once while somebody waits?

use std::future::Future;
use std::num::NonZeroUsize;

use futures_util::StreamExt as _;
use futures_util::stream;

/// What became of one of many requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<I, T, E> {
    /// Which request.
    pub id: I,
    /// Its answer, or why it has none.
    pub result: Result<T, E>,
}

/// Asks many requests with at most so many calls under way, and returns what became of each, in the order
/// of the requests. One that fails stops no other. A slow one holds up nothing but the end.
///
/// ```
/// use std::num::NonZeroUsize;
/// use bursar_model_router::answer_each;
///
/// let requests = [("a", 2), ("b", 0), ("c", 4)];
/// let two = NonZeroUsize::new(2).expect("two is not zero");
/// let ask = async |number: i32| 12_i32.checked_div(number).ok_or("a division by zero");
/// let answered = futures_executor::block_on(answer_each(requests, two, ask));
/// assert_eq!(answered[0].result, Ok(6));
/// assert_eq!((answered[1].id, answered[1].result), ("b", Err("a division by zero")));
/// assert_eq!(answered[2].result, Ok(3));
/// ```
pub async fn answer_each<I, R, T, E, F>(
    requests: impl IntoIterator<Item = (I, R)>,
    concurrency: NonZeroUsize,
    ask: impl Fn(R) -> F,
) -> Vec<Answered<I, T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let calls = requests
        .into_iter()
        .enumerate()
        .map(|(place, (id, request))| {
            let call = ask(request);
            async move {
                let result = call.await;
                (place, Answered { id, result })
            }
        });
    // Not in order: a slow call at the front would keep finished ones in its room.
    let answered = stream::iter(calls).buffer_unordered(concurrency.get());
    let mut answered: Vec<_> = answered.collect().await;
    answered.sort_unstable_by_key(|(place, _)| *place);
    answered.into_iter().map(|(_, answered)| answered).collect()
}
