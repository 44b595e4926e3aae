//! What is asked of a model, and how hard is it?

use std::fmt;
use std::str::FromStr;

/// The kind of work that a request asks for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskType {
    /// Free text after a wish.
    TextGeneration,
    /// A program or a part of one.
    CodeGeneration,
    /// What is wrong with a program.
    CodeReview,
    /// A long text in short.
    Summarization,
    /// One of several given answers.
    Classification,
    /// A question that has an answer.
    QuestionAnswering,
    /// The same in another language.
    Translation,
    /// What follows from given facts: reasoning, calculation, comparison.
    Analysis,
}

impl TaskType {
    /// All of them, in the order in which they sort.
    pub const ALL: [Self; 8] = [
        Self::TextGeneration,
        Self::CodeGeneration,
        Self::CodeReview,
        Self::Summarization,
        Self::Classification,
        Self::QuestionAnswering,
        Self::Translation,
        Self::Analysis,
    ];

    /// The name in data and texts, `code_review`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TextGeneration => "text_generation",
            Self::CodeGeneration => "code_generation",
            Self::CodeReview => "code_review",
            Self::Summarization => "summarization",
            Self::Classification => "classification",
            Self::QuestionAnswering => "question_answering",
            Self::Translation => "translation",
            Self::Analysis => "analysis",
        }
    }
}

impl fmt::Display for TaskType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no task {name:?}; one of text_generation, code_generation, code_review, summarization, classification, question_answering, translation, analysis will do"
)]
pub struct UnknownTask {
    /// What was written.
    pub name: String,
}

/// From [`TaskType::name`].
impl FromStr for TaskType {
    type Err = UnknownTask;

    fn from_str(text: &str) -> Result<Self, UnknownTask> {
        let mut all = Self::ALL.into_iter();
        all.find(|task| task.name() == text)
            .ok_or_else(|| UnknownTask {
                name: text.to_owned(),
            })
    }
}

/// How much a request asks of a model.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    /// A short answer that is plain to see.
    Simple,
    /// Neither simple nor complex.
    Medium,
    /// Several steps, much context, or a long answer that must hang together.
    Complex,
}

impl Complexity {
    /// The name in data and texts, `simple`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Medium => "medium",
            Self::Complex => "complex",
        }
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_read_back_from_its_name() {
        for task in TaskType::ALL {
            assert_eq!(task.name().parse(), Ok(task));
            let json = serde_json::to_value(task).expect("a unit variant is a text");
            assert_eq!(json, task.name());
        }
        let name = "poetry".to_owned();
        assert_eq!("poetry".parse::<TaskType>(), Err(UnknownTask { name }));
    }
}
