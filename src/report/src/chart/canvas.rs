use super::element::{Element, number};
use super::mark::fill_class;
use super::theme::{Ink, style};

/// A picture under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Canvas {
    width: f64,
    height: f64,
    title: String,
    description: String,
    elements: Vec<Element>,
}

impl Canvas {
    /// An empty picture. The title and the description are for those who cannot see it.
    #[must_use]
    pub fn new(
        width: f64,
        height: f64,
        title: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        let (title, description) = (title.into(), description.into());
        Self { width, height, title, description, elements: Vec::new() }
    }

    /// Puts an element in front of those before it.
    pub fn add(&mut self, element: Element) {
        self.elements.push(element);
    }

    /// The picture: a standalone SVG that can also stand inside HTML.
    #[must_use]
    pub fn into_svg(self) -> String {
        let Self { width, height, title, description, elements } = self;
        let surface = Element::new("rect")
            .with("class", fill_class(Ink::Surface))
            .at("width", width)
            .at("height", height);
        let root = Element::new("svg")
            .with("xmlns", "http://www.w3.org/2000/svg")
            .with("class", "chart")
            .with("role", "img")
            .at("width", width)
            .at("height", height)
            .with("viewBox", format!("0 0 {} {}", number(width), number(height)))
            .child(Element::new("title").text(title))
            .child(Element::new("desc").text(description))
            .child(Element::new("style").text(style()))
            .child(surface)
            .children(elements);
        let mut svg = String::new();
        root.write(&mut svg);
        svg.push('\n');
        svg
    }
}
