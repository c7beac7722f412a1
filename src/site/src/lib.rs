//! The guides as a static site: pages of HTML that refer to each other, in the style of reports.
//!
//! [`pages`] takes Markdown and gives the same bytes for the same text. A guide that is named as
//! `runner guide NAME` is linked to; a file that is linked to is shown in the repository.
//!
//! Must not know: what the guides say, files.

mod markdown;

use report::html::STYLE;

/// A page of the site.
#[derive(Debug, Clone, Copy)]
pub struct Guide<'a> {
    /// What it is called, in its address and as a topic of `runner guide`.
    pub name: &'a str,
    /// What it is about, in a sentence.
    pub about: &'a str,
    /// Its folder in the repository, from which its links to files start.
    pub folder: &'a str,
    /// Markdown that begins with a heading.
    pub text: &'a str,
}

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePage {
    /// Its name, in the folder of the site.
    pub file: String,
    /// Its content.
    pub html: String,
}

/// The style beside that of reports.
const SITE_STYLE: &str = "
nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
main img { display: block; max-width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 6px; }
pre { font: 13px/1.5 ui-monospace, monospace; background: var(--set-off); padding: .8rem 1rem; overflow: auto; border-radius: 6px; }
p code, li code, td code { font: .87em ui-monospace, monospace; overflow-wrap: anywhere; }
th, td { white-space: normal; }
main h1 { margin-top: 1rem; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
li { margin: .25rem 0; max-width: 48rem; }
@media print { pre { font-size: 7.5pt; white-space: pre-wrap; overflow-wrap: anywhere; } }
";

/// The pages, the first of which is the index; `repository` is where the files of the project are
/// shown.
#[must_use]
pub fn pages(guides: &[Guide<'_>], repository: &str) -> Vec<SitePage> {
    guides.iter().map(|guide| page(guide, guides, repository)).collect()
}

/// The file of a guide: the first is the index.
fn file(guide: &Guide<'_>, guides: &[Guide<'_>]) -> String {
    match guides.first() {
        Some(first) if first.name == guide.name => "index.html".to_owned(),
        _ => format!("{}.html", guide.name),
    }
}

fn page(guide: &Guide<'_>, guides: &[Guide<'_>], repository: &str) -> SitePage {
    let link = |other: &Guide<'_>| {
        let current = if other.name == guide.name { " aria-current=\"page\"" } else { "" };
        let (file, about) = (file(other, guides), escaped(other.about));
        format!("<a href=\"{file}\" title=\"{about}\"{current}>{}</a>\n", escaped(other.name))
    };
    let links: String = guides.iter().map(link).collect();
    let rendered = markdown::html(guide, guides, repository);
    let title = escaped(&rendered.title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         img-src 'self' data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - runner</title>\n\
         <style>{STYLE}{SITE_STYLE}</style>\n</head>\n<body>\n<header>\n<nav>\n{links}</nav>\n\
         </header>\n<main>\n{}</main>\n</body>\n</html>\n",
        rendered.html,
    );
    SitePage { file: file(guide, guides), html }
}

/// A text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: &str = "https://example.org/blob/main";

    fn guide<'a>(name: &'a str, text: &'a str) -> Guide<'a> {
        Guide { name, about: "about <it>", folder: "src/cli/guide", text }
    }

    fn first(text: &str) -> String {
        let guides = [guide("tour", text), guide("comparing", "# Compare\n")];
        pages(&guides, REPOSITORY).remove(0).html
    }

    #[test]
    fn the_first_guide_is_the_index_and_every_page_leads_to_all() {
        let pages = pages(&[guide("tour", "# A tour\n"), guide("comparing", "# C\n")], REPOSITORY);
        let files: Vec<&str> = pages.iter().map(|page| page.file.as_str()).collect();
        assert_eq!(files, ["index.html", "comparing.html"]);
        for page in &pages {
            assert!(
                page.html.contains("href=\"index.html\"") && page.html.contains("about &lt;it&gt;")
            );
        }
        assert!(pages[0].html.contains("<title>A tour - runner</title>"));
    }

    #[test]
    fn guides_that_are_named_and_files_are_linked_to() {
        let html = first(
            "# T\n\nSee `runner guide comparing`, `runner guide none`, [it](comparing.md#a), \
             [data](../../../data/users.csv) and [below](#more).\n\n## More\n",
        );
        assert!(
            html.contains("<a href=\"comparing.html\"><code>runner guide comparing</code></a>")
        );
        assert!(html.contains("<code>runner guide none</code>") && !html.contains("none.html"));
        assert!(html.contains("href=\"comparing.html#a\""), "{html}");
        assert!(html.contains(&format!("href=\"{REPOSITORY}/data/users.csv\"")), "{html}");
        assert!(html.contains("href=\"#more\"") && html.contains("<h2 id=\"more\">"), "{html}");
    }

    #[test]
    fn headings_of_one_name_have_ids_of_their_own_and_cells_know_their_columns() {
        let html = first("# T\n\n## A `b`!\n\n## A b\n\n| one & two | x |\n|---|---|\n| 1 | 2 |\n");
        assert!(html.contains("id=\"a-b\"") && html.contains("id=\"a-b-1\""), "{html}");
        assert!(html.contains("<td data-column=\"one &amp; two\"><span>1</span></td>"), "{html}");
    }
}
