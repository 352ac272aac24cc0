//! The session's figures over time, as lines of an SVG.
//!
//! One small plot for each figure, all over the same time: four lines across each other tell nobody anything. A plot is drawn in a box of
//! [`WIDTH`] by [`HEIGHT`] units, which the page stretches.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::triage::Sample;

use super::text::duration;

/// The box that a plot is drawn in.
pub(super) const WIDTH: u32 = 1000;
pub(super) const HEIGHT: u32 = 100;

/// A figure's highest value that is shown, in thousandths: ten times what the session is entitled to.
const HIGHEST: u16 = 10_000;

/// All plots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) plots: Vec<Plot>,
    /// Where the moment of the crash is, in units from the left.
    pub(super) moment: Option<u32>,
    /// What stands below, from the left to the right.
    pub(super) times: [String; 3],
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plot {
    pub(super) name: &'static str,
    /// What its 100 % are.
    pub(super) of: &'static str,
    /// The line, and the area below it, as SVG's path data.
    pub(super) line: String,
    pub(super) area: String,
    /// Where 100 % are, in units from the top, if that is not the top itself.
    pub(super) whole: Option<u32>,
    pub(super) top: String,
    pub(super) highest: String,
    pub(super) last: String,
}

/// A figure: its name, what its 100 % are, and how a sample has it.
type Figure = (&'static str, &'static str, fn(&Sample) -> Option<u16>);

const FIGURES: [Figure; 4] = [
    ("CPU", "of what the session is entitled to", |sample| sample.cpu),
    ("Memory", "of what the session is entitled to", |sample| sample.memory),
    ("GPU", "of the machine's, other sessions included", |sample| sample.gpu),
    ("VRAM", "of the machine's, other sessions included", |sample| sample.vram),
];

impl Chart {
    /// Draws the samples of a session; nothing if there are fewer than two, or if they are of no time at all.
    pub(super) fn draw(samples: &[Sample], crashed_at: Option<Timestamp>) -> Option<Self> {
        let from = samples.iter().map(|sample| sample.at).min()?;
        let last = samples.iter().map(|sample| sample.at).max()?;
        let moment = crashed_at.map(Timestamp::as_millisecond);
        // A crash a little after the last row lies on the chart too.
        let near = moment.filter(|at| (from..=last.saturating_add(60_000)).contains(at));
        let to = near.map_or(last, |at| last.max(at));
        let span = u64::try_from(to.checked_sub(from)?).ok().filter(|span| *span > 0)?;
        let x = |at: i64| {
            let passed = u64::try_from(at.saturating_sub(from)).unwrap_or(0).min(span);
            u32::try_from(u128::from(passed) * u128::from(WIDTH) / u128::from(span)).unwrap_or(WIDTH)
        };
        let plots: Vec<_> = FIGURES.iter().filter_map(|figure| Plot::draw(figure, samples, x)).collect();
        let span = SignedDuration::from_millis(i64::try_from(span).unwrap_or(i64::MAX));
        let times = ["0".to_owned(), duration(span / 2), duration(span)];
        (!plots.is_empty()).then(|| Self { plots, moment: near.map(x), times })
    }
}

impl Plot {
    fn draw(figure: &Figure, samples: &[Sample], x: impl Fn(i64) -> u32) -> Option<Self> {
        let (name, of, value) = figure;
        let values: Vec<_> =
            samples.iter().map(|sample| (x(sample.at), value(sample).map(|it| it.min(HIGHEST)))).collect();
        let highest = values.iter().filter_map(|(_, value)| *value).max()?;
        let last = values.iter().rev().find_map(|(_, value)| *value)?;
        // 100 %, or as many halves of it as are needed.
        let top = u32::from(highest).max(1000).next_multiple_of(500);
        let y = |value: u32| HEIGHT - value * HEIGHT / top;
        let (mut line, mut area) = (String::new(), String::new());
        for piece in values.split(|(_, value)| value.is_none()).filter(|piece| !piece.is_empty()) {
            for (place, (x, value)) in piece.iter().enumerate() {
                let command = if place == 0 { 'M' } else { 'L' };
                write!(line, "{command}{x} {}", y(u32::from(value.unwrap_or_default()))).ok();
                if place == 0 {
                    write!(area, "M{x} {HEIGHT}").ok();
                }
                write!(area, "L{x} {}", y(u32::from(value.unwrap_or_default()))).ok();
            }
            if let Some((x, _)) = piece.last() {
                write!(area, "L{x} {HEIGHT}Z").ok();
            }
        }
        Some(Self {
            name,
            of,
            line,
            area,
            whole: (top > 1000).then(|| y(1000)),
            top: percent(top),
            highest: percent(u32::from(highest)),
            last: percent(u32::from(last)),
        })
    }
}

fn percent(thousandths: u32) -> String {
    format!("{} %", (thousandths + 5) / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[Option<u16>]) -> Vec<Sample> {
        let sample = |(n, cpu): (usize, &Option<u16>)| Sample {
            at: 1_700_000_000_000 + i64::try_from(n).unwrap() * 1000,
            cpu: *cpu,
            ..Sample::default()
        };
        values.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn a_line_goes_from_the_first_to_the_last_value() {
        let chart = Chart::draw(&samples(&[Some(0), Some(500), Some(1000)]), None).unwrap();
        let [plot] = chart.plots.as_slice() else { panic!("{chart:?}") };
        assert_eq!((plot.name, plot.line.as_str()), ("CPU", "M0 100L500 50L1000 0"));
        assert_eq!(plot.area, "M0 100L0 100L500 50L1000 0L1000 100Z");
        assert_eq!((plot.top.as_str(), plot.whole), ("100 %", None));
        assert_eq!((chart.times, chart.moment), (["0", "1 s", "2 s"].map(ToOwned::to_owned), None));
    }

    #[test]
    fn a_gap_is_a_gap_and_more_than_all_raises_the_top() {
        let chart = Chart::draw(&samples(&[Some(1500), None, Some(750), Some(1510)]), None).unwrap();
        let plot = &chart.plots[0];
        assert_eq!((plot.top.as_str(), plot.highest.as_str()), ("200 %", "151 %"));
        assert_eq!(plot.whole, Some(50));
        assert_eq!(plot.line.matches('M').count(), 2, "{}", plot.line);
    }

    #[test]
    fn the_moment_of_the_crash_is_marked_where_it_is_and_only_there() {
        let values = samples(&[Some(1); 11]);
        let at = |milliseconds: i64| Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).ok();
        let moment = |milliseconds| Chart::draw(&values, at(milliseconds)).unwrap().moment;
        assert_eq!([moment(5000), moment(10_000), moment(40_000)], [Some(500), Some(1000), Some(1000)]);
        assert_eq!([moment(-1), moment(3_600_000)], [None, None]);
    }

    #[test]
    fn what_cannot_be_drawn_is_not() {
        assert_eq!(Chart::draw(&[], None), None);
        assert_eq!(Chart::draw(&samples(&[Some(1)]), None), None);
        assert_eq!(Chart::draw(&samples(&[None, None]), None), None);
        let ends = [
            Sample { at: i64::MIN, cpu: Some(1), ..Sample::default() },
            Sample { at: i64::MAX, cpu: Some(u16::MAX), ..Sample::default() },
        ];
        assert_eq!(Chart::draw(&ends, None), None);
    }
}
