use std::fmt::Write;

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// An SVG picture under way.
///
/// Classes carry the colours: `ink`, `faint`, `grid`, and `s1` to `s4` for series.
pub struct Canvas {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
}

const STYLE: &str = "\
svg{--bg:#fff;--ink:#1c2128;--faint:#667080;--grid:#e4e7eb;--s1:#0b6bcb;--s2:#c2410c;--s3:#0f7b53;--s4:#8a3ffc;\
font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:13px}\
@media(prefers-color-scheme:dark){svg{--bg:#14181d;--ink:#e6e9ee;--faint:#98a2b0;--grid:#2b323b;--s1:#5aa9f5;\
--s2:#f08a4b;--s3:#4cc38a;--s4:#b692ff}}\
.bg{fill:var(--bg)}.ink{fill:var(--ink)}.faint{fill:var(--faint)}\
.title{fill:var(--ink);font-size:17px;font-weight:600}.strong{fill:var(--ink);font-weight:600}\
.grid{stroke:var(--grid);fill:none}.rule{stroke:var(--faint);stroke-dasharray:5 4;fill:none}\
.s1,.s2,.s3,.s4{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}\
.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}\
.thin{stroke-width:1;opacity:.35}.t1{fill:var(--s1);font-weight:600}.t2{fill:var(--s2);font-weight:600}\
.t3{fill:var(--s3);font-weight:600}.t4{fill:var(--s4);font-weight:600}";

impl Canvas {
    /// An empty picture; title and description are read aloud by screen readers.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (title, description) = (title.to_owned(), description.to_owned());
        Self { width, height, title, description, body: String::new() }
    }

    /// A text in a class of colour.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = anchor.name();
        let (x, y, text) = (number(at.0), number(at.1), escape(text));
        self.push(format!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// A text that is read from bottom to top.
    pub fn upright_text(&mut self, at: (f64, f64), class: &str, text: &str) {
        let (x, y, text) = (number(at.0), number(at.1), escape(text));
        self.push(format!(
            r#"<text class="{class}" transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{text}</text>"#
        ));
    }

    /// A straight line, with a tooltip where `title` says something.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64), title: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let end = if title.is_empty() {
            "/>".to_owned()
        } else {
            format!("><title>{}</title></line>", escape(title))
        };
        self.push(format!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{end}"#));
    }

    /// A line through points.
    pub fn path(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let mut data = String::new();
        for (index, (x, y)) in points.into_iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _infallible = write!(data, "{command}{} {}", number(x), number(y));
        }
        if !data.is_empty() {
            self.push(format!(r#"<path class="{class}" d="{data}"/>"#));
        }
    }

    /// The picture.
    pub fn finish(self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        let (title, description) = (escape(&self.title), escape(&self.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\">\n<title>{title}</title>\n<desc>{description}</desc>\n\
             <style>{STYLE}</style>\n<rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>\n\
             {}</svg>\n",
            self.body
        )
    }

    fn push(&mut self, element: String) {
        self.body.push_str(&element);
        self.body.push('\n');
    }
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A tenth of a pixel is enough.
fn number(value: f64) -> String {
    let rounded = libm::round(value * 10.0) / 10.0;
    // Minus zero is zero.
    (rounded + 0.0).to_string()
}

/// Takes what means something in XML, and what XML cannot hold, out of a text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut canvas = Canvas::new(10.0, 10.0, "</title><script>", "a\u{0}b");
        canvas.text((1.0, 1.0), Anchor::Start, "ink", r#""><script>alert('x')&"#);
        let svg = canvas.finish();
        assert!(!svg.contains("<script>") && !svg.contains('\u{0}'));
        assert!(svg.contains("&lt;script&gt;alert(&#39;x&#39;)&amp;"));
    }
}
