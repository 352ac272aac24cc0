//! S3 as far away as it is from a Lambda function: modelled, for measurements.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Timers are as exact as a millisecond: a line that was idle for less than this has not lost the time.
const SLACK: Duration = Duration::from_millis(4);

/// How slow S3's answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// From a request's arrival until S3 begins to answer it.
    pub first_byte: Duration,
    /// Bytes a second that a connection carries.
    pub per_connection: u32,
    /// Bytes a second that all connections carry together.
    pub in_all: u32,
}

/// What all connections share.
#[derive(Debug, Default)]
pub(super) struct Shaper {
    shape: Mutex<Option<Shape>>,
    in_all: Line,
}

impl Shaper {
    pub(super) fn set(&self, shape: Option<Shape>) {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner) = shape;
    }

    fn shape(&self) -> Option<Shape> {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, as slow as the shape makes it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    shaper: Arc<Shaper>,
    line: Arc<Line>,
}

impl Connection {
    pub(super) fn new(shaper: &Arc<Shaper>) -> Self {
        Self { shaper: Arc::clone(shaper), line: Arc::default() }
    }

    /// Waits until the answer to a request that has just arrived may begin.
    pub(super) async fn first_byte(&self) {
        if let Some(shape) = self.shaper.shape() {
            sleep(shape.first_byte).await;
        }
    }

    /// An answer's body, as slow as the connection.
    pub(super) fn pace<B>(&self, body: B) -> Paced<B> {
        Paced { body, connection: self.clone(), waiting: None }
    }

    /// When so many bytes, sent now, have passed both lines; nothing if these are as fast as they can be.
    fn passed(&self, bytes: usize, now: Instant) -> Option<Instant> {
        let shape = self.shaper.shape()?;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let alone = self.line.take(bytes, shape.per_connection, now);
        Some(alone.max(self.shaper.in_all.take(bytes, shape.in_all, now)))
    }
}

/// A line that carries so many bytes a second, one after the other.
#[derive(Debug, Default)]
struct Line {
    free_at: Mutex<Option<Instant>>,
}

impl Line {
    /// Takes the line for so many bytes; gives when they have passed.
    fn take(&self, bytes: u32, per_second: u32, now: Instant) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = free_at.map_or(now, |at| at.max(now.checked_sub(SLACK).unwrap_or(now)));
        let ends = begins + Duration::from_secs(1) * bytes / per_second.max(1);
        *free_at = Some(ends);
        ends
    }
}

/// A body whose pieces wait for their turn.
pub(super) struct Paced<B> {
    body: B,
    connection: Connection,
    waiting: Option<(Pin<Box<Sleep>>, Frame<Bytes>)>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.waiting.is_none() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            let length = frame.data_ref().map_or(0, Bytes::len);
            match self.connection.passed(length, Instant::now()) {
                None => return Poll::Ready(Some(Ok(frame))),
                Some(at) => self.waiting = Some((Box::pin(sleep_until(at)), frame)),
            }
        }
        if let Some((turn, _)) = &mut self.waiting {
            ready!(turn.as_mut().poll(context));
        }
        Poll::Ready(self.waiting.take().map(|(_, frame)| Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.waiting.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.waiting.as_ref().and_then(|(_, frame)| frame.data_ref()).map_or(0, Bytes::len);
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + held as u64);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + held as u64);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: u32 = 1_000_000;

    #[test]
    fn a_connection_and_all_of_them_together_carry_so_much_a_second() {
        let shaper = Arc::new(Shaper::default());
        let connections = [(); 3].map(|()| Connection::new(&shaper));
        let now = Instant::now();
        assert_eq!(connections[0].passed(1, now), None);
        shaper.set(Some(Shape {
            first_byte: Duration::from_millis(20),
            per_connection: 90 * MEGABYTE,
            in_all: 75 * MEGABYTE,
        }));
        let passed = |number: usize, after: Duration| connections[number].passed(15_000_000, now + after);
        let ms = Duration::from_millis;
        let after = |time| Some(now + ms(time));
        // 15 MB: 167 ms for one connection alone, 200 ms for all together.
        assert_eq!(passed(0, ms(0)), after(200));
        assert_eq!(passed(1, ms(0)), after(400));
        assert_eq!(passed(0, ms(0)), after(600));
        // A line that was idle does not catch up, but for what a timer may be late.
        assert_eq!(passed(2, ms(1004)), after(1200));
    }
}
