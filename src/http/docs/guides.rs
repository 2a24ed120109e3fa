//! The guides: what is to be known across operations. Tables in them come from the code.

use actix_web::{HttpRequest, HttpResponse, web};
use std::fmt::Write;

use super::{
    areas, errors, kept,
    page::{answer, page, plain, prose},
};
use crate::{
    fraud::{assessment::Outcome, policy::test_email},
    http::{door::Door, kinds::Kind, problem::Problem},
    outbox::{ATTEMPTS, KINDS},
    payment::sandbox::TOKENS,
};

/// A guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guide {
    Idempotency,
    Errors,
    Testing,
    Webhooks,
}

impl Guide {
    /// All of them, in the order in which they are told.
    pub(super) const ALL: [Self; 4] =
        [Self::Idempotency, Self::Errors, Self::Testing, Self::Webhooks];

    /// The last part of its address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Idempotency => "idempotency",
            Self::Errors => "errors",
            Self::Testing => "testing",
            Self::Webhooks => "webhooks",
        }
    }

    /// What it is about.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Idempotency => "Idempotency and retries",
            Self::Errors => "Errors",
            Self::Testing => "Test tokens, e-mails and clock",
            Self::Webhooks => "Webhooks",
        }
    }

    fn text(self) -> String {
        match self {
            Self::Idempotency => include_str!("guides/idempotency.html").to_owned(),
            Self::Errors => include_str!("guides/errors.html")
                .replace("{{errors}}", &errors::table())
                .replace("{{messages}}", &errors::messages()),
            Self::Testing => include_str!("guides/testing.html")
                .replace("{{tokens}}", &tokens())
                .replace("{{emails}}", &emails()),
            Self::Webhooks => include_str!("guides/webhooks.html")
                .replace("{{kinds}}", &kinds())
                .replace("{{attempts}}", &ATTEMPTS.to_string()),
        }
    }
}

/// Serves a guide.
pub(super) async fn get(
    door: web::Data<Door>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let guide = Guide::ALL.into_iter().find(|guide| guide.name() == name.as_str());
    let guide = guide.ok_or_else(|| {
        Problem::new(Kind::NotFound, "There is no such guide.").suggest("Begin at /docs.")
    })?;
    let made = kept(guide.name(), &door.site().base_url, |base_url| {
        let text = guide.text().replace("{{base}}", &plain(base_url));
        page(guide.title(), &areas(), &format!("<h1>{}</h1>\n{text}", guide.title()))
    });
    Ok(answer(made, &request))
}

fn tokens() -> String {
    let mut rows = String::new();
    for (token, does) in TOKENS {
        let _infallible =
            write!(rows, "<tr><td><code>{}</code></td><td>{}</td></tr>", plain(token), prose(does));
    }
    rows
}

/// The outcomes an address may ask for.
fn emails() -> String {
    let mut rows = String::new();
    for outcome in Outcome::ALL {
        let address = format!("fraud-{}@example.com", outcome.as_str());
        let does = match outcome {
            Outcome::Approve => "The payment goes to the gateway, whatever the score.",
            Outcome::Challenge => "The buyer has to prove who they are first.",
            Outcome::Review => "The order is placed, its money waits for a person.",
            Outcome::Decline => "No, in the words of any bank.",
        };
        if test_email(&address) == Some(outcome) {
            let _infallible =
                write!(rows, "<tr><td><code>{address}</code></td><td>{does}</td></tr>");
        }
    }
    rows
}

fn kinds() -> String {
    let kinds: Vec<_> = KINDS.iter().map(|kind| format!("<code>{kind}</code>")).collect();
    kinds.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guide_has_its_tables_filled_in() {
        for guide in Guide::ALL {
            let text = guide.text().replace("{{base}}", "");
            assert!(!text.contains("{{"), "{guide:?}");
        }
        for outcome in Outcome::ALL {
            assert!(emails().contains(&format!("fraud-{}@", outcome.as_str())), "{outcome:?}");
        }
    }
}
