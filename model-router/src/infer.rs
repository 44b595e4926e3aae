//! What kind of work does a text ask for, and how hard is it? Plain rules over the words of the request,
//! in English and Chinese, for callers who do not say.
//!
//! The rules are a default and not a judge: a learned router predicts from the whole text, and a caller
//! who knows the task says so. What is asked stands at the beginning or the end of a prompt; the material
//! in between would only mislead, so [`EDGE`] bytes of each end are read.

use crate::task::{Complexity, TaskType};

/// As many bytes of the beginning and of the end are searched for what is asked.
const EDGE: usize = 400;

/// Words that ask for a task, the more telling tasks first.
const ASKING: [(TaskType, &[&str]); 7] = [
    (
        TaskType::Translation,
        &["translate", "translation of", "翻译", "译成", "译为"],
    ),
    (
        TaskType::Summarization,
        &[
            "summarize",
            "summarise",
            "summary of",
            "tl;dr",
            "in short:",
            "总结",
            "摘要",
            "概括",
            "归纳",
        ],
    ),
    (
        TaskType::CodeReview,
        &[
            "code review",
            "review this",
            "review the",
            "find the bug",
            "what is wrong with",
            "what's wrong with",
            "审查",
            "代码评审",
            "找出错误",
        ],
    ),
    (
        TaskType::CodeGeneration,
        &[
            "write a function",
            "write a program",
            "write a script",
            "write code",
            "implement",
            "sql query",
            "unit test",
            "regex for",
            "python function",
            "写一个函数",
            "写一段代码",
            "写代码",
            "实现一个",
            "编写",
        ],
    ),
    (
        TaskType::Classification,
        &[
            "classify",
            "categorize",
            "categorise",
            "which category",
            "sentiment",
            "label the",
            "spam or",
            "positive or negative",
            "分类",
            "归类",
            "情感",
        ],
    ),
    (
        TaskType::Analysis,
        &[
            "analyze",
            "analyse",
            "compare",
            "evaluate",
            "calculate",
            "prove",
            "derive",
            "how many",
            "how much",
            "trade-off",
            "分析",
            "比较",
            "计算",
            "证明",
            "推导",
            "评估",
        ],
    ),
    (
        TaskType::QuestionAnswering,
        &[
            "what ",
            "who ",
            "when ",
            "where ",
            "which ",
            "why ",
            "how ",
            "is it ",
            "explain",
            "define",
            "什么",
            "谁",
            "何时",
            "哪",
            "为什么",
            "如何",
            "怎么",
            "吗",
            "解释",
            "定义",
        ],
    ),
];

/// The task of a text.
pub(crate) fn task(text: &str) -> TaskType {
    let (begin, end) = edges(text);
    let (begin, end) = (begin.to_lowercase(), end.to_lowercase());
    let has = |word: &&str| begin.contains(*word) || end.contains(*word);
    let asked = ASKING.iter().find(|(_, words)| words.iter().any(has));
    match asked {
        Some((TaskType::QuestionAnswering, _)) if has_code(text) => TaskType::CodeReview,
        Some((task, _)) => *task,
        None if begin.contains(['?', '？']) || end.contains(['?', '？']) => {
            TaskType::QuestionAnswering
        }
        None => TaskType::TextGeneration,
    }
}

/// Words that ask for thinking in steps.
const HARD: [&str; 22] = [
    "prove",
    "derive",
    "design",
    "architecture",
    "optimize",
    "trade-off",
    "step by step",
    "in detail",
    "comprehensive",
    "thorough",
    "concurren",
    "distributed",
    "algorithm",
    "refactor",
    "推导",
    "证明",
    "设计",
    "架构",
    "优化",
    "详细",
    "逐步",
    "算法",
];

/// How hard a text is: points for its length, its parts, code, hard words and the length of the answer.
pub(crate) fn complexity(text: &str, max_output_tokens: u64) -> Complexity {
    let (begin, end) = edges(text);
    let (begin, end) = (begin.to_lowercase(), end.to_lowercase());
    let hard_words = HARD
        .iter()
        .filter(|word| begin.contains(**word) || end.contains(**word));
    let parts = text.lines().filter(|line| is_list_item(line)).count();
    let points = match text.len() {
        0..400 => 0,
        400..2_000 => 1,
        2_000..12_000 => 2,
        _ => 3,
    } + hard_words.count().min(3)
        + (parts / 3).min(2)
        + usize::from(has_code(text))
        + usize::from(max_output_tokens > 1_000);
    match points {
        0 => Complexity::Simple,
        1..=2 => Complexity::Medium,
        _ => Complexity::Complex,
    }
}

/// The beginning and the end of a text; of a short one the whole and nothing.
fn edges(text: &str) -> (&str, &str) {
    if text.len() <= 2 * EDGE {
        return (text, "");
    }
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    let begin = (0..=EDGE).rev().find(is_boundary).unwrap_or_default();
    let end = (text.len() - EDGE..text.len()).find(is_boundary);
    (&text[..begin], &text[end.unwrap_or(text.len())..])
}

/// Whether there is a fenced block, or lines that end as those of programs do.
fn has_code(text: &str) -> bool {
    let ends = [";", "{", "}", "):", "()"];
    let is_code = |line: &str| ends.iter().any(|end| line.trim_end().ends_with(end));
    text.contains("```") || text.lines().filter(|line| is_code(line)).nth(2).is_some()
}

/// `1. …`, `2) …`, `- …`, `* …`.
fn is_list_item(line: &str) -> bool {
    let line = line.trim_start();
    let digits = line.trim_start_matches(|it: char| it.is_ascii_digit());
    let is_numbered = digits.len() < line.len() && digits.starts_with(['.', ')', '、']);
    is_numbered || line.starts_with("- ") || line.starts_with("* ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_request_tell_its_task() {
        for (text, expected) in [
            ("Translate to French: good morning", TaskType::Translation),
            (
                "请把下面的句子翻译成英文：今天天气很好。",
                TaskType::Translation,
            ),
            (
                "Summarize the following report in three sentences.",
                TaskType::Summarization,
            ),
            ("总结一下这篇文章的要点", TaskType::Summarization),
            (
                "Classify this ticket as billing, bug or other: I was charged twice",
                TaskType::Classification,
            ),
            (
                "Write a function that merges two sorted lists.",
                TaskType::CodeGeneration,
            ),
            ("写一个函数，判断一个数是否为素数", TaskType::CodeGeneration),
            (
                "Review this change:\nfn a() {\nb();\n}\n",
                TaskType::CodeReview,
            ),
            (
                "Compare gp2 and gp3 volumes for a database.",
                TaskType::Analysis,
            ),
            ("What is a token bucket?", TaskType::QuestionAnswering),
            ("什么是令牌桶？", TaskType::QuestionAnswering),
            (
                "Once upon a time there was a small cloud",
                TaskType::TextGeneration,
            ),
            ("", TaskType::TextGeneration),
        ] {
            assert_eq!(task(text), expected, "{text}");
        }
    }

    #[test]
    fn the_material_in_the_middle_does_not_mislead() {
        let filler = "The weather was fine. ".repeat(100);
        let text = format!("Summarize the letter.\n{filler} please translate {filler}");
        assert_eq!(task(&text), TaskType::Summarization);
    }

    #[test]
    fn complexity_grows_with_what_is_asked() {
        assert_eq!(
            complexity("What is a token bucket?", 200),
            Complexity::Simple
        );
        let list = "Compare these:\n- a\n- b\n- c\n";
        assert_eq!(complexity(list, 200), Complexity::Medium);
        let design = "Design a distributed rate limiter and prove that it is exact.";
        assert_eq!(complexity(design, 4_000), Complexity::Complex);
    }

    #[test]
    fn every_cut_of_a_text_is_read() {
        let text = "译成英文：".repeat(300);
        let ends = text.char_indices().map(|(at, _)| at);
        for end in ends {
            let _ = task(&text[..end]);
            let _ = complexity(&text[..end], 200);
        }
    }
}
