//! What is asked of Redis: one script for many entities, so that nobody comes between reading and
//! writing any of them.
//!
//! The script computes nothing: it reads, appends and moves bytes. Numbers in Redis are floats, and
//! busy entities would keep its one thread busy; here a hundred thousand attempts are as cheap to
//! append to as one.

use redis::{ErrorKind, RedisError, RedisResult, Script, ServerErrorKind, Value};
use std::borrow::Cow;
use tokio::time::Instant;

use super::batch::{Share, Summing};
use crate::{
    base::Timestamp,
    fraud::features::entity::LIFE_MICROS,
    sessions::redis::home::{Asked, Home, NodeFault, is},
};

/// Does what it is told about one entity after the other, and answers for each: `ARGV[1]` is how
/// long each lives from now on, and then come a word, the entity's key and what the word needs.
///
/// - `note`: appends facts.
/// - `pass`: appends facts, and answers with what stood before. `paged` first takes the pages back
///   that are due by a moment, from the next key; there are some only where a summary stands, which
///   begins with a zero.
/// - `sum`: puts a summary in the place of what it sums up, if that still stands; what came after
///   it stays. So many pages, each after its moment, wait at the next key; of two that say the
///   same one gets longer, for a set has each of its members once.
///
/// What goes wrong with one entity is its own answer, in a list, and the others go on.
const SCRIPT: &str = r"
local life, key, arg = ARGV[1], 1, 2
local function place() key = key + 1 return KEYS[key - 1] end
local function given() arg = arg + 1 return ARGV[arg - 1] end
local function add(at, before, facts)
  if #facts == 0 then return end
  if before then redis.call('APPEND', at, facts) else redis.call('SET', at, facts, 'PX', life) end
end
local does = {}
function does.note()
  local at, facts = place(), given()
  redis.call('APPEND', at, facts)
  redis.call('PEXPIRE', at, life)
  return false
end
function does.pass()
  local at, facts = place(), given()
  local before = redis.call('GETEX', at, 'PX', life)
  add(at, before, facts)
  return before
end
function does.paged()
  local at, labels, facts, now = place(), place(), given(), given()
  local before = redis.call('GETEX', at, 'PX', life)
  if before and before:byte() == 0 then
    local pages = redis.call('ZRANGEBYSCORE', labels, '-inf', now)
    if #pages > 0 then
      redis.call('ZREMRANGEBYSCORE', labels, '-inf', now)
      pages = table.concat(pages)
      redis.call('APPEND', at, pages)
      before = before .. pages
    end
  end
  add(at, before, facts)
  return before
end
function does.sum()
  local at, labels, read, summary, pages = place(), place(), given(), given(), {}
  for i = 1, tonumber(given()) do pages[i] = {given(), given()} end
  if redis.call('GETRANGE', at, 0, #read - 1) ~= read then return 0 end
  local after = redis.call('GETRANGE', at, #read, -1)
  redis.call('SET', at, summary .. after, 'PX', life)
  for _, wait in ipairs(pages) do
    local page = wait[2]
    while redis.call('ZADD', labels, 'NX', wait[1], page) == 0 do page = page .. '\5' end
    redis.call('PEXPIRE', labels, life)
  end
  return 1
end
local answers = {}
while arg <= #ARGV do
  local done, said = pcall(does[given()])
  if not done then said = {type(said) == 'table' and said.err or said} end
  answers[#answers + 1] = said
end
return answers
";

/// Entities that one script looks after: nobody else is answered while it runs, which is a
/// millisecond or two.
const TOGETHER_MAX: usize = 64;

/// How long an entity is kept after it was last noted: past that it is new again anyway. The labels
/// that wait for one are due within their delay, which is far shorter.
const LIFE_MILLIS: i64 = LIFE_MICROS / 1000;

/// The script under the name that servers know it by.
pub(super) struct Scripts(Script);

/// What the script is told about one entity.
pub(super) struct Call {
    place: String,
    told: Told,
}

enum Told {
    Note { facts: Vec<u8> },
    Pass { facts: Vec<u8>, pages_by: Option<Timestamp> },
    Sum { read: Vec<u8>, summary: Vec<u8>, pages: Vec<(Timestamp, Vec<u8>)> },
}

impl Call {
    /// Reads what stands about an entity, and notes its share.
    pub(super) fn pass(share: &Share) -> Self {
        let pages_by = share.learns.then_some(share.now);
        let told = Told::Pass { facts: share.facts.clone(), pages_by };
        Self { place: share.place.clone(), told }
    }

    /// Notes facts, and reads nothing.
    pub(super) fn note(place: String, facts: Vec<u8>) -> Self {
        Self { place, told: Told::Note { facts } }
    }

    /// Sums up.
    pub(super) fn sum(summing: Summing) -> Self {
        let Summing { place, read, summary, pages } = summing;
        Self { place, told: Told::Sum { read, summary, pages } }
    }

    /// Adds its keys and what it is told to a script's.
    fn say<'a>(&'a self, pages: bool, keys: &mut Vec<Cow<'a, str>>, args: &mut Vec<Cow<'a, [u8]>>) {
        keys.push(self.place.as_str().into());
        let word = |word: &'static str| Cow::Borrowed(word.as_bytes());
        match &self.told {
            Told::Note { facts } => args.extend([word("note"), facts.into()]),
            Told::Pass { facts, pages_by: Some(now) } if pages => {
                keys.push(self.labels().into());
                args.extend([word("paged"), facts.into(), digits(now.micros())]);
            }
            Told::Pass { facts, .. } => args.extend([word("pass"), facts.into()]),
            Told::Sum { read, summary, pages } => {
                keys.push(self.labels().into());
                args.extend([word("sum"), read.into(), summary.into(), digits(pages.len())]);
                let page =
                    |(at, page): &'a (Timestamp, Vec<u8>)| [digits(at.micros()), page.into()];
                args.extend(pages.iter().flat_map(page));
            }
        }
    }

    /// Where labels wait that are not due yet.
    fn labels(&self) -> String {
        format!("{}:labels", self.place)
    }

    const fn sums(&self) -> bool {
        matches!(self.told, Told::Sum { .. })
    }
}

impl Scripts {
    /// The script.
    pub(super) fn new() -> Self {
        Self(Script::new(SCRIPT))
    }

    /// Runs it for all calls, in one round trip for each server; in a second one where a server has
    /// not known it, as after its restart, or has half of what it needs. What is asked besides is
    /// asked last, and its answers come last.
    pub(super) async fn run(
        &self,
        home: &Home,
        calls: &[Call],
        besides: Vec<Asked>,
        until: Instant,
    ) -> Result<Vec<RedisResult<Value>>, NodeFault> {
        // On a cluster an entity is with a server of its own.
        let most = if home.is_cluster() { 1 } else { TOGETHER_MAX };
        let groups: Vec<&[Call]> = calls.chunks(most).collect();
        let known = groups.iter().map(|group| asked("EVALSHA", self.0.get_hash(), group, true));
        let known: Vec<Asked> = known.chain(besides).collect();
        let mut said = home.ask_each(&known, until).await?;
        let besides = said.split_off(groups.len());
        let mut answers = Vec::with_capacity(calls.len() + besides.len());
        let (mut places, mut alone) = (Vec::new(), Vec::new());
        for (group, said) in groups.into_iter().zip(said) {
            let error = match each(said, group.len()) {
                Ok(each) => {
                    answers.extend(each);
                    continue;
                }
                Err(error) => error,
            };
            // While a slot moves, nobody has both its keys: the pages are read once they are there.
            let moves = is(&error, ServerErrorKind::TryAgain);
            // A cluster behind an address of one server takes no keys of several slots at once.
            let apart =
                is(&error, ServerErrorKind::NoScript) || is(&error, ServerErrorKind::CrossSlot);
            for call in group {
                if apart || (moves && !call.sums()) {
                    places.push(answers.len());
                    alone.push(asked("EVAL", SCRIPT, std::slice::from_ref(call), !moves));
                }
                answers.push(Err(error.clone()));
            }
        }
        if !alone.is_empty() {
            for (place, said) in places.into_iter().zip(home.ask_each(&alone, until).await?) {
                answers[place] = each(said, 1).and_then(|mut one| one.swap_remove(0));
            }
        }
        answers.extend(besides);
        Ok(answers)
    }
}

/// Asks for some calls at once. All of their keys are with one server.
fn asked(how: &str, script: &str, calls: &[Call], pages: bool) -> Asked {
    let (mut keys, mut args) = (Vec::new(), vec![digits(LIFE_MILLIS)]);
    calls.iter().for_each(|call| call.say(pages, &mut keys, &mut args));
    let mut command = redis::cmd(how);
    command.arg(script).arg(keys.len()).arg(&keys).arg(&args);
    let key = keys.into_iter().next().unwrap_or_default().into_owned();
    Asked { key, command }
}

/// A script's answers, one for each call.
fn each(said: RedisResult<Value>, calls: usize) -> RedisResult<Vec<RedisResult<Value>>> {
    match said? {
        Value::Array(each) if each.len() == calls => Ok(each.into_iter().map(answer).collect()),
        _ => Err(unexpected("a script did not answer for each of its calls")),
    }
}

/// The answer of one call.
fn answer(said: Value) -> RedisResult<Value> {
    match said {
        Value::Array(wrong) => {
            let words =
                wrong.into_iter().next().and_then(|said| redis::from_redis_value(said).ok());
            let words: String = words.unwrap_or_default();
            Err((ErrorKind::Client, "a script failed", words).into())
        }
        said => Ok(said),
    }
}

fn unexpected(what: &'static str) -> RedisError {
    (ErrorKind::UnexpectedReturnType, what).into()
}

/// What a script that reads has brought.
pub(super) fn brought(answer: RedisResult<Value>) -> RedisResult<Vec<u8>> {
    match answer? {
        Value::Nil => Ok(Vec::new()),
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(unexpected("a script brought no bytes")),
    }
}

fn digits(number: impl ToString) -> Cow<'static, [u8]> {
    number.to_string().into_bytes().into()
}
