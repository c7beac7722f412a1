use std::fmt::Write as _;
use std::sync::LazyLock;

/// A colour by its role. Light and dark are its two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What is behind everything.
    Surface,
    /// A part of the surface that is set off.
    Shade,
    /// Lines to measure by.
    Grid,
    /// Text and lines that come first.
    Strong,
    /// Text and lines that come second.
    Muted,
    /// The data of a series; the colours repeat after the sixth.
    Series(usize),
}

/// Text sizes in units of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What the picture shows.
    Title,
    /// A number to be seen first.
    Value,
    /// The name of a part.
    Heading,
    /// Everything else.
    Body,
}

/// Name, light, dark. Every text colour has a contrast of at least 4.5 to its surface
/// (WCAG 2.2, 1.4.3); the series stay apart for the common kinds of colour blindness.
const COLOURS: [(&str, &str, &str); 11] = [
    ("surface", "#ffffff", "#0d1117"),
    ("shade", "#f1f3f5", "#1b222b"),
    ("grid", "#dfe3e7", "#30363d"),
    ("strong", "#1f2328", "#e6edf3"),
    ("muted", "#59636e", "#9aa4af"),
    ("series-1", "#0a5fc2", "#6cb2ff"),
    ("series-2", "#b34700", "#ff9f5a"),
    ("series-3", "#00765a", "#3ecf9d"),
    ("series-4", "#a0378c", "#f08cd0"),
    ("series-5", "#7a5c00", "#e0c04c"),
    ("series-6", "#5a50c8", "#b0a8ff"),
];

const SERIES: [&str; 6] = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];

impl Ink {
    /// The name of the colour; class names are made of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Surface => "surface",
            Self::Shade => "shade",
            Self::Grid => "grid",
            Self::Strong => "strong",
            Self::Muted => "muted",
            Self::Series(index) => SERIES[index % SERIES.len()],
        }
    }
}

impl Ink {
    /// How often the colours of series were used up before this one.
    #[must_use]
    pub(crate) fn round(series: usize) -> usize {
        series / SERIES.len()
    }
}

impl Size {
    /// Units of the picture.
    #[must_use]
    pub fn units(self) -> f64 {
        match self {
            Self::Title => 21.0,
            Self::Value => 22.0,
            Self::Heading => 17.0,
            Self::Body => 15.0,
        }
    }
}

/// The style sheet of pictures: colours as variables, so that a page around them can
/// change them, each with a plain value before it for readers that know no variables.
pub(crate) fn style() -> &'static str {
    static STYLE: LazyLock<String> = LazyLock::new(style_sheet);
    &STYLE
}

fn style_sheet() -> String {
    let variables = |pick: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        COLOURS.iter().fold(String::new(), |mut css, colour| {
            let _ = write!(css, "--{}:{};", colour.0, pick(colour));
            css
        })
    };
    let (light, dark) = (variables(|colour| colour.1), variables(|colour| colour.2));
    let mut css = format!(
        "\n.chart{{{light}font-family:system-ui,sans-serif;max-width:100%;height:auto}}\n\
         @media (prefers-color-scheme:dark){{.chart{{{dark}}}}}\n"
    );
    for (name, light, _) in COLOURS {
        let _ = writeln!(
            css,
            ".chart .f-{name}{{fill:{light};fill:var(--{name})}}\
             .chart .s-{name}{{stroke:{light};stroke:var(--{name});fill:none}}"
        );
    }
    css.push_str(
        ".chart text{stroke-linejoin:round}\n\
         .chart .halo{paint-order:stroke;stroke:#ffffff;stroke:var(--surface);stroke-width:5px}\n",
    );
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(left: &str, right: &str) -> f64 {
        let (left, right) = (luminance(left), luminance(right));
        (left.max(right) + 0.05) / (left.min(right) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_both_surfaces() {
        let backs = [COLOURS[0], COLOURS[1]];
        for (name, light, dark) in &COLOURS[3..] {
            for (back, light_back, dark_back) in backs {
                assert!(contrast(light, light_back) >= 4.5, "{name} on {back}, light");
                assert!(contrast(dark, dark_back) >= 4.5, "{name} on {back}, dark");
            }
        }
    }

    /// The colours of pages around pictures: those of texts can be read, and a name has one colour in a
    /// picture and below it.
    #[test]
    fn pages_have_the_colours_of_pictures_and_can_be_read() {
        let style = crate::html::STYLE;
        let (light, dark) = style.split_once("prefers-color-scheme: dark").unwrap();
        for sheet in [light, dark] {
            let colour = |name: &str| {
                let at = sheet.find(&format!("--{name}: #")).unwrap() + name.len() + 4;
                &sheet[at..at + 7]
            };
            for name in ["text", "quiet", "good", "bad", "doubtful", "link"] {
                for back in ["back", "set-off"] {
                    assert!(contrast(colour(name), colour(back)) >= 4.5, "{name} on {back}");
                }
            }
        }
        for (name, light, dark) in &COLOURS[5..] {
            let pair = format!(".{name} {{ color: light-dark({light}, {dark}); }}");
            assert!(style.contains(&pair), "{pair}");
        }
    }

    #[test]
    fn every_ink_is_in_the_style_sheet() {
        let series = (0..7).map(Ink::Series);
        let style = style();
        for ink in
            [Ink::Surface, Ink::Shade, Ink::Grid, Ink::Strong, Ink::Muted].into_iter().chain(series)
        {
            assert!(style.contains(&format!(".f-{}{{", ink.name())), "{ink:?}");
        }
    }
}
