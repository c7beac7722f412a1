use std::sync::Arc;

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

    /// The picture.
    #[must_use]
    pub fn into_svg(self) -> Svg {
        const END: &str = "</svg>";
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
            .child(Element::new("desc").text(description));
        let mut text = String::new();
        root.write(&mut text);
        text.truncate(text.len() - END.len());
        let style_at = text.len();
        for element in [surface].iter().chain(&elements) {
            text.push('\n');
            element.write(&mut text);
        }
        text.push_str(END);
        text.push('\n');
        Svg { text: text.into(), style_at }
    }
}

/// A picture, for a file or for a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Svg {
    /// Without its style, which a page has once for all its pictures.
    text: Arc<str>,
    /// Where the style belongs.
    style_at: usize,
}

impl Svg {
    /// The picture with its style: a file of its own.
    #[must_use]
    pub fn standalone(&self) -> String {
        let (head, rest) = self.text.split_at(self.style_at);
        let style = Element::new("style").text(style()).into_text();
        format!("{head}\n{style}{rest}")
    }

    /// The picture for a page that has the style of pictures.
    #[must_use]
    pub fn within_page(&self) -> &str {
        &self.text
    }
}
