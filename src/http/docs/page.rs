//! What every page of the documentation is made of: one file that needs nothing from elsewhere, and
//! may do nothing but ask this service.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::fmt::Write;

use super::{Area, guides::Guide, kept::Kept};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Text as it stands in a page.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Text in which `code` stands between backticks.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = plain(part);
        let _infallible = match index % 2 {
            0 => write!(out, "{part}"),
            _ => write!(out, "<code>{part}</code>"),
        };
    }
    out
}

/// A page: its title, the way to everything else, and what it says.
pub(super) fn page(title: &str, areas: &[Area], main: &str) -> String {
    let (title, nav) = (plain(title), nav(areas));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · Doorbuster</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the content</a>\n\
         <header><a class=\"brand\" href=\"/docs\">Doorbuster</a>\
         <label>API key <input id=\"key\" type=\"password\" autocomplete=\"off\" \
         placeholder=\"none in dev mode\"></label></header>\n\
         <div class=\"page\">\n{nav}\n<main id=\"main\" tabindex=\"-1\">\n{main}\n</main>\n</div>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn nav(areas: &[Area]) -> String {
    let mut out = String::from(
        "<details class=\"contents\"><summary>Contents</summary><nav aria-label=\"Contents\">\
         <label>Filter <input id=\"filter\" type=\"search\"></label><h2>Guides</h2><ul>",
    );
    for guide in Guide::ALL {
        let _infallible =
            write!(out, "<li><a href=\"/docs/{}\">{}</a></li>", guide.name(), guide.title());
    }
    out.push_str(
        "<li><a href=\"/openapi.json\">OpenAPI document</a></li>\
         <li><a href=\"/docs/postman.json\">Postman collection</a></li></ul>",
    );
    for area in areas {
        let _infallible = write!(out, "<h2>{}</h2><ul>", plain(area.name));
        for operation in &area.operations {
            let method = operation.method.as_str();
            let _infallible = write!(
                out,
                "<li data-filter=\"{} {}\"><a href=\"/docs#{}\"><span class=\"method {}\">{method}\
                 </span> {}</a></li>",
                plain(&operation.path),
                plain(&operation.summary.to_lowercase()),
                operation.id,
                method.to_lowercase(),
                plain(&operation.summary),
            );
        }
        out.push_str("</ul>");
    }
    out.push_str("</nav></details>");
    out
}

/// The page as an answer.
pub(super) fn answer(page: Kept, request: &HttpRequest) -> HttpResponse {
    let mut answer = page.answer(request, "text/html; charset=utf-8");
    let mut set = |name: HeaderName, value: HeaderValue| answer.headers_mut().insert(name, value);
    if let Ok(policy) = HeaderValue::from_str(&policy()) {
        set(CONTENT_SECURITY_POLICY, policy);
    }
    set(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// The style and the script of these pages and no others; requests to this service alone.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_shown_and_nothing_else() {
        assert_eq!(plain("<a href=\"x\">'&'"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
        assert_eq!(prose("send `<id>` & wait"), "send <code>&lt;id&gt;</code> &amp; wait");
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere() {
        for text in [STYLE, SCRIPT] {
            for outside in ["http://", "https://", "@import", "url(", "</style", "</script"] {
                assert!(!text.contains(outside), "{outside}");
            }
        }
        assert!(policy().contains("default-src 'none'"));
    }
}
