//! Keys: days, records, markers. Listing is what finding costs, so no more is listed than is asked for.

use crash_capture::layout::{self, INDEX, OPEN, RecordName};
use crash_capture::service::ServiceError;
use crash_capture::session::SessionName;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use jiff::civil::Date;

use crate::failure::Failure;

use super::{Captures, Filter};

/// How many days are listed at a time.
const LISTINGS: usize = 8;

/// What is listed at once: at most 1,000 keys, or folders.
struct Page {
    prefix: String,
    keys: Vec<String>,
    folders: Vec<String>,
    /// Where the next page begins.
    next: Option<String>,
}

impl Captures {
    /// The days in question that have records, the newest first.
    pub(crate) async fn days(&self, filter: &Filter) -> Result<Vec<Date>, Failure> {
        let of_folder = |folder: String| {
            folder.strip_prefix(INDEX)?.strip_prefix("dt=")?.trim_end_matches('/').parse().ok()
        };
        let mut pages = Box::pin(self.pages(INDEX.to_owned(), Some("/")));
        let mut days: Vec<Date> = Vec::new();
        while let Some(page) = pages.try_next().await? {
            days.extend(
                page.folders.into_iter().filter_map(of_folder).filter(|day| filter.days().contains(day)),
            );
        }
        days.sort_unstable_by(|one, other| other.cmp(one));
        Ok(days)
    }

    /// The keys of the records of these days that a filter may take, day by day in their order.
    pub(crate) fn record_keys<'a>(
        &'a self,
        days: impl Stream<Item = Result<Date, Failure>> + 'a,
        filter: &'a Filter,
    ) -> impl Stream<Item = Result<RecordName, Failure>> + 'a {
        let first = days.map_ok(move |day| self.page(filter.record_prefix(day), None, None));
        let pages = first.try_buffered(LISTINGS).map_ok(|first| self.pages_from(first, None)).try_flatten();
        let keys = pages.map_ok(|page| stream::iter(page.keys).map(Ok)).try_flatten();
        keys.try_filter_map(async |key: String| {
            Ok(layout::parse_record_key(&key).filter(|name| filter.may_take(name)))
        })
    }

    /// The sessions that have a marker, and that a filter may take.
    pub(crate) fn marker_names<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Stream<Item = Result<SessionName, Failure>> + 'a {
        let prefix = filter.group().map_or_else(|| OPEN.to_owned(), |group| format!("{OPEN}{group}/"));
        let pages = self.pages(prefix, None);
        let keys = pages.map_ok(|page| stream::iter(page.keys).map(Ok)).try_flatten();
        keys.try_filter_map(async |key: String| Ok(layout::parse_marker_key(&key)))
    }

    fn pages<'a>(
        &'a self,
        prefix: String,
        delimiter: Option<&'static str>,
    ) -> impl Stream<Item = Result<Page, Failure>> + 'a {
        let first = stream::once(self.page(prefix, delimiter, None));
        first.map_ok(move |first| self.pages_from(first, delimiter)).try_flatten()
    }

    /// A page and those that follow it.
    fn pages_from<'a>(
        &'a self,
        first: Page,
        delimiter: Option<&'static str>,
    ) -> impl Stream<Item = Result<Page, Failure>> + 'a {
        let next = first.next.clone().map(|token| (first.prefix.clone(), token));
        let rest = stream::try_unfold(next, move |next| async move {
            let Some((prefix, token)) = next else { return Ok::<_, Failure>(None) };
            let page: Page = self.page(prefix, delimiter, Some(token)).await?;
            let next = page.next.clone().map(|token| (page.prefix.clone(), token));
            Ok(Some((page, next)))
        });
        stream::once(async { Ok(first) }).chain(rest)
    }

    async fn page(
        &self,
        prefix: String,
        delimiter: Option<&str>,
        token: Option<String>,
    ) -> Result<Page, Failure> {
        let request = self.s3().list_objects_v2().bucket(self.bucket()).prefix(&prefix);
        let request = request.set_delimiter(delimiter.map(ToOwned::to_owned)).set_continuation_token(token);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| self.explained(ServiceError::new("ListObjectsV2", &error)))?;
        Ok(Page {
            prefix,
            keys: answer.contents().iter().filter_map(|object| object.key()).map(ToOwned::to_owned).collect(),
            folders: answer
                .common_prefixes()
                .iter()
                .filter_map(|it| it.prefix())
                .map(ToOwned::to_owned)
                .collect(),
            next: answer.next_continuation_token,
        })
    }
}
