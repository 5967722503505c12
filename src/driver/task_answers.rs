//! The requests of futures, and their answers.

use std::task::{Context, Poll, Waker};

use super::tasks::Woken;
use crate::error::Result;
use crate::proto::{Response, Ticket};

/// The requests of futures.
#[derive(Debug, Default)]
pub(super) struct TaskAnswers(Vec<(Ticket, TaskAnswer)>);

#[derive(Debug)]
enum TaskAnswer {
    /// The task that waits for the answer.
    Awaited(Option<Waker>),
    Here(Result<Response>),
}

/// The request of a dropped future.
pub(super) enum DroppedFuture {
    /// It was not answered.
    Asked,
    /// It was answered, and the future did not take the answer.
    Answered(Result<Response>),
}

impl TaskAnswers {
    pub(super) fn expect(&mut self, ticket: Ticket) {
        self.0.push((ticket, TaskAnswer::Awaited(None)));
    }

    /// Keeps an answer for its future. Returns the answer if no future waits for it.
    pub(super) fn deliver(
        &mut self,
        ticket: Ticket,
        result: Result<Response>,
        woken: &mut Woken,
    ) -> Option<Result<Response>> {
        let Some((_, answer)) = self.0.iter_mut().find(|(known, _)| *known == ticket) else {
            return Some(result);
        };
        let before = std::mem::replace(answer, TaskAnswer::Here(result));
        if let TaskAnswer::Awaited(Some(waker)) = before {
            woken.wake(waker);
        }
        None
    }

    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        cx: &Context<'_>,
        woken: &mut Woken,
    ) -> Poll<Option<Result<Response>>> {
        let Some(index) = self.0.iter().position(|(known, _)| *known == ticket) else {
            return Poll::Ready(None);
        };
        if let TaskAnswer::Awaited(waker) = &mut self.0[index].1 {
            let is_known = waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if !is_known && let Some(before) = waker.replace(cx.waker().clone()) {
                woken.forget(before);
            }
            return Poll::Pending;
        }
        match self.0.swap_remove(index).1 {
            TaskAnswer::Here(result) => Poll::Ready(Some(result)),
            TaskAnswer::Awaited(_) => Poll::Pending,
        }
    }

    pub(super) fn abandon(&mut self, ticket: Ticket, woken: &mut Woken) -> Option<DroppedFuture> {
        let index = self.0.iter().position(|(known, _)| *known == ticket)?;
        Some(match self.0.swap_remove(index).1 {
            TaskAnswer::Here(result) => DroppedFuture::Answered(result),
            TaskAnswer::Awaited(waker) => {
                waker.into_iter().for_each(|waker| woken.forget(waker));
                DroppedFuture::Asked
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Counter {
        fn count(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn an_answer_is_given_once_and_wakes_its_task() {
        let task = Arc::new(Counter::default());
        let waker = task.clone().into();
        let cx = Context::from_waker(&waker);
        let (mut answers, mut woken) = (TaskAnswers::default(), Woken::default());
        let ticket = Ticket(7);
        answers.expect(ticket);
        assert!(answers.poll(ticket, &cx, &mut woken).is_pending());
        assert!(answers.deliver(ticket, Ok(Response::Ready), &mut woken).is_none());
        assert!(answers.deliver(Ticket(8), Ok(Response::Ready), &mut woken).is_some());
        drop(woken);
        assert_eq!(task.count(), 1);
        let mut woken = Woken::default();
        assert!(matches!(answers.poll(ticket, &cx, &mut woken), Poll::Ready(Some(Ok(Response::Ready)))));
        assert!(answers.abandon(ticket, &mut woken).is_none());
    }

    #[test]
    fn a_future_that_is_dropped_leaves_its_request_or_its_answer() {
        let (mut answers, mut woken) = (TaskAnswers::default(), Woken::default());
        for ticket in [Ticket(1), Ticket(2)] {
            answers.expect(ticket);
        }
        assert!(answers.deliver(Ticket(1), Ok(Response::Ready), &mut woken).is_none());
        assert!(matches!(
            answers.abandon(Ticket(1), &mut woken),
            Some(DroppedFuture::Answered(Ok(Response::Ready)))
        ));
        assert!(matches!(answers.abandon(Ticket(2), &mut woken), Some(DroppedFuture::Asked)));
        assert!(answers.0.is_empty());
    }
}
