//! A chart of what grows, as SVG: a panel for each thing that does, both axes logarithmic.

use std::fmt;

use super::growth::Point;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;
const MARGIN: f64 = 46.0;
/// From 1 to 10⁵: milliseconds, requests, mebibytes.
const DECADES: f64 = 5.0;

/// What is drawn of each point: its name, its colour, and its value.
type Line = (&'static str, &'static str, fn(&Point) -> f64);

#[expect(clippy::cast_precision_loss, reason = "nobody sees it in a chart")]
const LINES: [Line; 3] = [
    ("ms", "#c0392b", |point| point.time.as_secs_f64() * 1e3),
    ("requests", "#2471a3", |point| point.requests as f64),
    ("MiB", "#1e8449", |point| point.memory.unwrap_or(0) as f64 / 1_048_576.0),
];

/// One thing that grows.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'static str,
    pub(crate) points: &'a [Point],
}

/// All of them, beside each other.
pub(crate) struct Chart<'a>(pub(crate) &'a [Panel<'a>]);

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = WIDTH * f64::from(u32::try_from(self.0.len()).unwrap_or(1));
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"10\">"
        )?;
        writeln!(f, "<rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>")?;
        let mut left = 0.0;
        for panel in self.0 {
            writeln!(f, "<g transform=\"translate({left} 0)\">")?;
            panel.write(f)?;
            writeln!(f, "</g>")?;
            left += WIDTH;
        }
        writeln!(f, "</svg>")
    }
}

impl Panel<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bottom, right) = (HEIGHT - MARGIN, WIDTH - 16.0);
        let decade = |at: f64| at.max(1.0).log10();
        #[expect(clippy::cast_precision_loss, reason = "nobody sees it in a chart")]
        let at = |point: &Point| decade(point.at as f64);
        let (first, last) = (self.points.first().map_or(0.0, at), self.points.last().map_or(1.0, at));
        let x = |at: f64| MARGIN + (at - first) / (last - first).max(1.0) * (right - MARGIN);
        let y = |at: f64| bottom - at / DECADES * (bottom - 30.0);
        writeln!(f, "<text x=\"{MARGIN}\" y=\"16\" font-size=\"12\">{}</text>", self.title)?;
        let mut power = 0.0;
        while power <= DECADES {
            let height = y(power);
            writeln!(f, "<path d=\"M{MARGIN} {height:.1}H{right}\" stroke=\"#ddd\"/>")?;
            writeln!(
                f,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">10<tspan dy=\"-4\" font-size=\"8\">{power}</tspan></text>",
                MARGIN - 8.0,
                height + 3.0
            )?;
            power += 1.0;
        }
        for point in self.points {
            writeln!(
                f,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x(at(point)),
                bottom + 14.0,
                short(point.at)
            )?;
        }
        for (number, (name, colour, value)) in (0_u8..).zip(LINES) {
            let path: Vec<_> = self
                .points
                .iter()
                .map(|point| format!("{:.1} {:.1}", x(at(point)), y(decade(value(point)))))
                .collect();
            writeln!(
                f,
                "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join("L")
            )?;
            let legend = MARGIN + 80.0 * f64::from(number);
            writeln!(f, "<text x=\"{legend}\" y=\"{}\" fill=\"{colour}\">{name}</text>", HEIGHT - 8.0)?;
        }
        Ok(())
    }
}

/// A round number in few characters.
fn short(number: u64) -> String {
    match number {
        1_000_000_000.. => format!("{}G", number / 1_000_000_000),
        1_000_000.. => format!("{}M", number / 1_000_000),
        1_000.. => format!("{}k", number / 1_000),
        _ => number.to_string(),
    }
}
