//! What is asked of Redis: one script per entity, so that nobody comes between reading and writing.
//!
//! The scripts compute nothing: they read, append and move bytes. Numbers in Redis are floats, and
//! busy entities would keep its one thread busy; here a hundred thousand attempts are as cheap to
//! append to as one.

use redis::{ErrorKind, RedisResult, Script, ServerErrorKind, Value};
use tokio::time::Instant;

use super::batch::{Share, Summing};
use crate::{
    fraud::features::entity::LIFE_MICROS,
    sessions::redis::home::{Asked, Home, NodeFault, is},
};

/// Appends facts (`ARGV[1]`) to what is written about an entity (`KEYS[1]`), and renews its life
/// (`ARGV[2]`). With a moment (`ARGV[3]`) it returns what stood before; first it takes the pages
/// back that are due by then (`KEYS[2]`, where there may be any).
///
/// Or, with `sum` for a moment, it puts a summary (`ARGV[4]`) in the place of what it sums up
/// (`ARGV[1]`), if that still stands; what came after it stays. Pages (from `ARGV[6]` on,
/// each after its moment) wait elsewhere; of two that say the same one gets longer, for a set has
/// each of its members once.
///
/// One script does both, so that a server knows it for both or for neither.
const SCRIPT: &str = r"
if ARGV[3] == 'sum' then
  local length = #ARGV[1]
  if redis.call('GETRANGE', KEYS[1], 0, length - 1) ~= ARGV[1] then return 0 end
  local after = redis.call('GETRANGE', KEYS[1], length, -1)
  redis.call('SET', KEYS[1], ARGV[4] .. after, 'PX', ARGV[2])
  for i = 5, #ARGV, 2 do
    local page = ARGV[i + 1]
    while redis.call('ZADD', KEYS[2], 'NX', ARGV[i], page) == 0 do page = page .. '\5' end
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
  end
  return 1
end
local before = false
if ARGV[3] then
  if KEYS[2] then
    local pages = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
    if #pages > 0 then
      redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
      redis.call('APPEND', KEYS[1], table.concat(pages))
    end
  end
  before = redis.call('GET', KEYS[1])
end
if #ARGV[1] > 0 then redis.call('APPEND', KEYS[1], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return before
";

/// How long an entity is kept after it was last noted: past that it is new again anyway. The labels
/// that wait for one are due within their delay, which is far shorter.
const LIFE_MILLIS: i64 = LIFE_MICROS / 1000;

/// The script under the name that servers know it by.
pub(super) struct Scripts(Script);

/// What the script is given.
pub(super) struct Call {
    place: String,
    sums: bool,
    /// Whether labels may wait on pages.
    pages: bool,
    given: Vec<Vec<u8>>,
}

impl Call {
    /// Reads what stands about an entity, and notes its share.
    pub(super) fn pass(share: &Share) -> Self {
        let now = share.now.micros().to_string().into_bytes();
        let given = vec![share.facts.clone(), life(), now];
        Self { place: share.place.clone(), sums: false, pages: share.learns, given }
    }

    /// Notes facts, and reads nothing.
    pub(super) fn note(place: String, facts: Vec<u8>) -> Self {
        Self { place, sums: false, pages: false, given: vec![facts, life()] }
    }

    /// Sums up.
    pub(super) fn sum(summing: Summing) -> Self {
        let mut given = vec![summing.read, life(), b"sum".to_vec(), summing.summary];
        for (wanted, page) in summing.pages {
            given.extend([wanted.micros().to_string().into_bytes(), page]);
        }
        Self { place: summing.place, sums: true, pages: true, given }
    }

    fn asked(&self, how: &str, script: &str, pages: bool) -> Asked {
        let mut command = redis::cmd(how);
        command.arg(script).arg(1 + usize::from(pages)).arg(&self.place);
        if pages {
            command.arg(format!("{}:labels", self.place));
        }
        for given in &self.given {
            command.arg(given.as_slice());
        }
        Asked { key: self.place.clone(), command }
    }
}

impl Scripts {
    /// The script.
    pub(super) fn new() -> Self {
        Self(Script::new(SCRIPT))
    }

    /// Runs it for each call, all in one round trip for each server; in a second one where a server
    /// has not known it, as after its restart, or has half of what it needs. What is asked besides
    /// is asked last, and its answers come last.
    pub(super) async fn run(
        &self,
        home: &Home,
        calls: &[Call],
        besides: Vec<Asked>,
        until: Instant,
    ) -> Result<Vec<RedisResult<Value>>, NodeFault> {
        let known: Vec<Asked> = calls.iter().map(|call| self.known(call)).chain(besides).collect();
        let mut answers = home.ask_each(&known, until).await?;
        let (mut places, mut told) = (Vec::new(), Vec::new());
        for (place, call) in calls.iter().enumerate() {
            let failed = |kind| answers[place].as_ref().is_err_and(|error| is(error, kind));
            // While a slot moves, nobody has both its keys: the pages are read once they are there.
            let moves = failed(ServerErrorKind::TryAgain) && !call.sums;
            if moves || failed(ServerErrorKind::NoScript) {
                places.push(place);
                told.push(call.asked("EVAL", SCRIPT, call.pages && !moves));
            }
        }
        if !told.is_empty() {
            for (place, answer) in places.into_iter().zip(home.ask_each(&told, until).await?) {
                answers[place] = answer;
            }
        }
        Ok(answers)
    }

    fn known(&self, call: &Call) -> Asked {
        call.asked("EVALSHA", self.0.get_hash(), call.pages)
    }
}

/// What a script that reads has brought.
pub(super) fn brought(answer: RedisResult<Value>) -> RedisResult<Vec<u8>> {
    match answer? {
        Value::Nil => Ok(Vec::new()),
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err((ErrorKind::UnexpectedReturnType, "a script brought no bytes").into()),
    }
}

fn life() -> Vec<u8> {
    LIFE_MILLIS.to_string().into_bytes()
}
