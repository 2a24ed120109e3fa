//! Reads the text of an expression: the Common Expression Language (CEL) by a library, behind
//! guards, and what is wrong with a place in it.

use cel::{
    Env,
    common::ast::{IdedExpr, SourceInfo},
};
use serde::Serialize;

/// Bytes of an expression. A rule that takes more says two things.
pub const EXPRESSION_BYTES_MAX: usize = 2_000;

/// How deep brackets and conditions may stand in one another: beyond, nobody reads them.
const NESTING_MAX: u16 = 48;

/// Stack of the thread that reads an expression. Everything that reads it calls itself for each
/// level, and a chain of [`EXPRESSION_BYTES_MAX`] signs has a thousand: within this, with a margin
/// of ten in a debug build.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Characters shown on each side of what is wrong.
const EXCERPT_CHARS: usize = 40;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ExpressionRefused {
    /// What is wrong, for who wrote it.
    pub message: String,
    /// Characters before the place.
    pub offset: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The line, and below it a caret under the place.
    pub excerpt: String,
}

impl ExpressionRefused {
    /// What is wrong at so many characters from the start.
    pub(super) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let offset = offset.min(source.chars().count());
        let before: String = source.chars().take(offset).collect();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        let text: Vec<char> = source.lines().nth(line - 1).unwrap_or_default().chars().collect();
        let from = (column - 1).saturating_sub(EXCERPT_CHARS).min(text.len());
        let to = (column - 1 + EXCERPT_CHARS).min(text.len());
        let shown: String = text[from..to].iter().map(|c| visible(*c)).collect();
        let excerpt = format!("{shown}\n{:>1$}", "^", column - from);
        Self { message: message.into(), offset, line, column, excerpt }
    }
}

/// A tab or another control character would move the caret away from its place.
fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// An expression that has been read, with the place of each part.
pub(super) struct Parsed<'a> {
    pub(super) source: &'a str,
    pub(super) root: IdedExpr,
    places: SourceInfo,
}

impl Parsed<'_> {
    /// Something is wrong with this part.
    pub(super) fn refuse(&self, part: u64, message: impl Into<String>) -> ExpressionRefused {
        ExpressionRefused::at(self.source, self.offset(part), message)
    }

    /// Something is wrong with the function that this part calls. The library points behind the
    /// name.
    pub(super) fn refuse_call(
        &self,
        part: u64,
        name: &str,
        message: impl Into<String>,
    ) -> ExpressionRefused {
        let bracket = self.offset(part);
        let start = bracket.saturating_sub(name.chars().count());
        let stands: String = self.source.chars().skip(start).take(bracket - start).collect();
        let offset = if stands == name { start } else { bracket };
        ExpressionRefused::at(self.source, offset, message)
    }

    fn offset(&self, part: u64) -> usize {
        self.places.offset_for(part).map_or(0, |(start, _)| start as usize)
    }
}

/// Reads an expression and makes something of it, on a thread with a stack that holds the deepest
/// one; a panic there is an answer like another.
pub(super) fn within<T: Send>(
    source: &str,
    make: impl FnOnce(&Parsed<'_>) -> Result<T, ExpressionRefused> + Send,
) -> Result<T, ExpressionRefused> {
    check_size(source)?;
    let read = || parse(source).and_then(|parsed| make(&parsed));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let answer = thread.spawn_scoped(scope, read).map(std::thread::ScopedJoinHandle::join);
        match answer {
            Ok(Ok(made)) => made,
            Ok(Err(_panic)) => {
                Err(ExpressionRefused::at(source, 0, "the expression cannot be read"))
            }
            Err(_no_thread) => {
                Err(ExpressionRefused::at(source, 0, "there is no memory to read it; try again"))
            }
        }
    })
}

fn check_size(source: &str) -> Result<(), ExpressionRefused> {
    let refuse = |offset, message: String| Err(ExpressionRefused::at(source, offset, message));
    if source.len() > EXPRESSION_BYTES_MAX {
        let long = source.len();
        let text =
            format!("an expression has at most {EXPRESSION_BYTES_MAX} bytes; this has {long}");
        return refuse(source.chars().count(), text);
    }
    if source.trim().is_empty() {
        return refuse(0, "the expression is empty".to_owned());
    }
    Ok(())
}

fn parse(source: &str) -> Result<Parsed<'_>, ExpressionRefused> {
    // Without macros `has`, `exists` and the others stay the calls they are written as.
    let env = Env::default().with_optional_support(false);
    let parser = env.parser().max_recursion_depth(NESTING_MAX).error_recovery_limit(4);
    match parser.parse_with_source_info(source) {
        Ok((root, places)) => Ok(Parsed { source, root, places }),
        Err(errors) => {
            let told = errors.errors.iter().map(|error| (error.pos, error.msg.as_str()));
            // Errors of the grammar come with errors of what it then fails to make of the rest.
            let first = told.min_by_key(|(pos, text)| (!text.starts_with("Syntax error"), *pos));
            let ((line, column), text) = first.unwrap_or(((1, 1), "it cannot be read"));
            Err(ExpressionRefused::at(source, offset_of(source, line, column), plain(text)))
        }
    }
}

/// Lines and columns from 1, as the library counts them.
fn offset_of(source: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let before = source.split_inclusive('\n').take(line).map(|line| line.chars().count());
    before.sum::<usize>() + column
}

/// The library lists every token that could stand there; a person wants to know what does.
fn plain(text: &str) -> String {
    let text = text.strip_prefix("Syntax error: ").unwrap_or(text);
    if text.starts_with("mismatched input '<EOF>'") || text.contains("at input '<EOF>'") {
        return "something is missing here: the expression ends too early".to_owned();
    }
    if let Some((token, _)) = text.strip_prefix("missing ").and_then(|text| text.split_once(" at "))
    {
        // What is no sign in quotation marks is the library's name of a kind of token.
        let is_sign = token.starts_with('\'');
        let token = if is_sign { token } else { "a name or a value" };
        return format!("{token} is missing here");
    }
    let text = text.split(" expecting ").next().unwrap_or(text);
    const UNFIT: [&str; 4] = [
        "mismatched input ",
        "extraneous input ",
        "no viable alternative at input ",
        "token recognition error at: ",
    ];
    match UNFIT.iter().find_map(|begins| text.strip_prefix(begins)) {
        Some(token) if token.starts_with('\'') => format!("{token} cannot stand here"),
        _ => "this cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str) -> ExpressionRefused {
        within(source, |_| Ok(())).expect_err("this does not read")
    }

    #[test]
    fn what_does_not_read_is_pointed_at() {
        let cases = [
            ("amount > ", 9, (1, 10), "ends too early"),
            ("amount > 5 5", 11, (1, 12), "'5' cannot stand here"),
            ("'\u{e9}' == '\u{e9}'\n  && (amount", 23, (2, 13), "')' is missing here"),
            ("amount # 5", 7, (1, 8), "cannot"),
            ("", 0, (1, 1), "empty"),
            (" \n ", 0, (1, 1), "empty"),
        ];
        for (source, offset, (line, column), says) in cases {
            let refused = refused(source);
            assert_eq!((refused.line, refused.column), (line, column), "{source:?} {refused:?}");
            assert_eq!(refused.offset, offset, "{source:?} {refused:?}");
            assert!(refused.message.contains(says), "{source:?} {refused:?}");
        }
    }

    // breaks: show the library's text where `plain` knows nothing better
    #[test]
    fn no_error_speaks_of_the_parser() {
        let words = [
            "IDENTIFIER",
            "alternative",
            "token",
            "recognition",
            "expecting",
            "NUM_",
            "<EOF>",
            "Syntax",
            "rule ",
            "parser",
            "recursion",
            "ParseError",
            "identifier",
            "literal",
        ];
        for source in [
            "amount # 5",
            "a.",
            "a..b",
            "a ? b",
            "'open",
            "\"open",
            "r'x",
            "1 +",
            "[1, 2",
            "{1: }",
            "(((",
            "a b c",
            "0x",
            "1e",
            "`a`",
            "a.1",
            "has(",
            "a in",
            "!",
            "@",
            "\u{0}",
            "a[",
            "a[1",
            "1.2.3",
            "b'\\x'",
            "'\\q'",
            "99999999999999999999",
            "a && && b",
            "a.b.c(",
            "{'a' 'b'}",
            "return",
            "a{b: 1",
            "..",
            "a ?: b",
            "message{",
            "\\",
            "\"\\u12\"",
            "a\u{200b}b",
        ] {
            if let Err(refused) = within(source, |_| Ok(())) {
                let told = refused.message.split('\'').step_by(2).collect::<String>();
                assert!(words.iter().all(|word| !told.contains(word)), "{source:?}: {told}");
            }
        }
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        let refused = refused("true &&\n\t amount >> 5");
        assert_eq!(refused.excerpt, "  amount >> 5\n          ^");
        let far = format!("{} 5 5", "a ||".repeat(100));
        let refused = ExpressionRefused::at(&far, 403, "here");
        let (shown, caret) = refused.excerpt.split_once('\n').expect("two lines");
        assert_eq!(&shown[caret.len() - 1..], "5", "{}", refused.excerpt);
        assert!(shown.len() <= 2 * EXCERPT_CHARS);
    }

    #[test]
    fn sizes_and_depths_have_their_limits() {
        let long = format!("true{}", " ".repeat(EXPRESSION_BYTES_MAX));
        assert!(refused(&long).message.contains("at most 2000 bytes"));
        for deep in [
            "(".repeat(EXPRESSION_BYTES_MAX),
            format!("{}true{}", "(".repeat(60), ")".repeat(60)),
            format!("{}1{}", "[".repeat(990), "]".repeat(990)),
            format!("{}a", "a?a:".repeat(490)),
        ] {
            assert!(!refused(&deep).message.is_empty());
        }
        let fair = format!("{}true{}", "(".repeat(10), ")".repeat(10));
        assert!(within(&fair, |_| Ok(())).is_ok());
    }

    #[test]
    fn a_panic_while_reading_is_an_answer() {
        let refused = within("true", |_| -> Result<(), _> { panic!("the library's fault") });
        assert!(refused.expect_err("an answer").message.contains("cannot be read"));
    }
}
