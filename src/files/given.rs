//! What a file, or a request, says of a field.

/// What is said of a field that may not be mentioned at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Nothing is said: it stays as it is.
    #[default]
    Absent,
    /// It is to be empty.
    Empty,
    /// It is to be this.
    Value(T),
}

impl<T> Given<T> {
    /// What comes of what there was.
    pub fn over(self, was: T, empty: impl FnOnce() -> T) -> T {
        match self {
            Self::Absent => was,
            Self::Empty => empty(),
            Self::Value(value) => value,
        }
    }

    /// The value, when there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty => None,
        }
    }

    /// The same about something made of the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Empty => Given::Empty,
            Self::Value(value) => Given::Value(make(value)),
        }
    }
}
