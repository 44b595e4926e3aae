//! Which of these requests become which batch jobs, and why do some become none?
//!
//! Reads records that can wait, one JSON object a line, or makes some of its own for four models: enough for
//! a job, too few, with tools, twice the same identity, a model that is offered elsewhere. It prints the
//! jobs with what they save by the catalog's prices, the first line of each file, and the reason of each
//! record that is in none; `--out` writes the files. Nothing is sent.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bursar_model_router::{
    BatchOffer, BatchPlan, BatchPlanner, BatchRecord, Catalog, CatalogText, ChatRequest, ModelId,
    PlannedJob, PriceContext, PriceList, Priority, Processing, RecordId, Tool, UsageKind,
};
use clap::Parser;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

/// Makes batch jobs of requests.
#[derive(Parser)]
struct Arguments {
    /// Records, one JSON object a line: `{"id": "ticket1", "model": "…", "request": {"messages": […]}}`.
    #[arg(long)]
    records: Option<PathBuf>,

    /// Where the jobs run.
    #[arg(long, default_value = "us-east-1")]
    region: String,

    /// The moment whose prices hold.
    #[arg(long, default_value = "2026-11-28T00:00:00Z")]
    at: Timestamp,

    /// A folder for the files of the jobs.
    #[arg(long)]
    out: Option<PathBuf>,

    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
}

const NOVA: &str = "us.amazon.nova-lite-v1:0";
const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const FAR: &str = "eu.amazon.nova-pro-v1:0";
const GPT: &str = "gpt-5.4-mini";

/// Each model with its provider in the catalog.
const MODELS: [(&str, &str); 4] = [(NOVA, "aws"), (HAIKU, "aws"), (FAR, "aws"), (GPT, "openai")];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let records = match &arguments.records {
        Some(path) => read(path)?,
        None => own_records()?,
    };
    let plan = planner(&arguments.region)?.plan(records, Priority::Normal);
    let catalog = Catalog::parse(&CatalogText {
        providers: bursar_catalog::PROVIDERS,
        models: bursar_catalog::MODELS,
        prices: bursar_catalog::PRICES,
        sources: bursar_catalog::SOURCES,
    })?;
    let report = Report::of(&plan, catalog.prices(), arguments.at)?;
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder)?;
        for (job, shown) in plan.jobs.iter().zip(&report.jobs) {
            let path = folder.join(&shown.file);
            std::fs::write(&path, job.to_jsonl()?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}

/// Where AWS and OpenAI offer batches of the four models.
fn planner(region: &str) -> Result<BatchPlanner> {
    let american = || BatchOffer::bedrock(["us-east-1", "us-west-2"]);
    Ok(BatchPlanner::new(region)
        .offer(ModelId::new(NOVA)?, american())
        .offer(ModelId::new(HAIKU)?, american())
        .offer(ModelId::new(FAR)?, BatchOffer::bedrock(["eu-west-1"]))
        .offer(ModelId::new(GPT)?, BatchOffer::openai()))
}

fn read(path: &Path) -> Result<Vec<BatchRecord>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let record = |(number, line): (usize, &str)| {
        let place = || format!("{}, line {}", path.display(), number + 1);
        serde_json::from_str(line).with_context(place)
    };
    lines.map(record).collect()
}

fn own_records() -> Result<Vec<BatchRecord>> {
    let record = |number: u128, model: &str| -> Result<BatchRecord> {
        Ok(BatchRecord {
            id: RecordId::from_random(number),
            model: ModelId::new(model)?,
            request: ChatRequest::user(format!("Summarize ticket {number} in one sentence.")),
        })
    };
    let mut records = Vec::new();
    // As they come in: Nova and GPT in turn, Haiku now and then.
    for number in 0..240 {
        records.push(record(number, if number % 2 == 0 { NOVA } else { GPT })?);
        if number % 12 == 0 {
            records.push(record(1_000 + number, HAIKU)?);
        }
    }
    records.push(record(2_000, FAR)?);
    records.push(record(2_001, "us.anthropic.claude-opus-4-8")?);
    let mut with_tool = record(2_002, NOVA)?;
    with_tool.request = with_tool.request.tool(Tool {
        name: "find_ticket".to_owned(),
        description: None,
        input_schema: json!({"type": "object"}),
    });
    records.push(with_tool);
    records.push(record(0, NOVA)?);
    Ok(records)
}

#[derive(Serialize)]
struct Report {
    jobs: Vec<Job>,
    /// In the order in which they were given.
    ineligible: Vec<Refused>,
}

#[derive(Serialize)]
struct Job {
    model: ModelId,
    file: String,
    records: usize,
    bytes: usize,
    first_line: String,
    /// US dollars per million tokens of input and output, at once and in a batch; `None` where the catalog
    /// has none.
    standard: Option<[String; 2]>,
    batch: Option<[String; 2]>,
}

#[derive(Serialize)]
struct Refused {
    record: RecordId,
    model: ModelId,
    reason: String,
}

impl Report {
    fn of(plan: &BatchPlan, prices: &PriceList, at: Timestamp) -> Result<Self> {
        let refused = plan.ineligible.iter().map(|it| Refused {
            record: it.record.id.clone(),
            model: it.record.model.clone(),
            reason: it.reason.to_string(),
        });
        let jobs = plan.jobs.iter().enumerate();
        let jobs = jobs.map(|(number, job)| Job::of(number, job, prices, at));
        Ok(Self {
            jobs: jobs.collect::<Result<_>>()?,
            ineligible: refused.collect(),
        })
    }

    fn print(&self) {
        for job in &self.jobs {
            println!(
                "{}: {} records of {} in {} bytes",
                job.file, job.records, job.model, job.bytes
            );
            println!("    {}", job.first_line);
            match (&job.standard, &job.batch) {
                (Some([input, output]), Some([batch_input, batch_output])) => println!(
                    "    input {input} → {batch_input}, output {output} → {batch_output} per million"
                ),
                _ => println!("    the catalog has no batch price: nothing is said to be saved"),
            }
        }
        let mut reasons: BTreeMap<&str, Vec<&Refused>> = BTreeMap::new();
        for refused in &self.ineligible {
            reasons.entry(&refused.reason).or_default().push(refused);
        }
        println!("\nin no job: {} records", self.ineligible.len());
        for (reason, refused) in reasons {
            let model = refused.first().map_or("", |it| it.model.as_str());
            println!("{:5} of {model}: {reason}", refused.len());
        }
    }
}

impl Job {
    fn of(number: usize, job: &PlannedJob, prices: &PriceList, at: Timestamp) -> Result<Self> {
        let file = String::from_utf8(job.to_jsonl()?)?;
        let rates = |processing| rates(&job.model, prices, at, processing);
        Ok(Self {
            model: job.model.clone(),
            file: format!("job-{}.jsonl", number + 1),
            records: job.records.len(),
            bytes: file.len(),
            first_line: file.lines().next().unwrap_or_default().to_owned(),
            standard: rates(Processing::Standard),
            batch: rates(Processing::Batch),
        })
    }
}

fn rates(
    model: &ModelId,
    prices: &PriceList,
    at: Timestamp,
    processing: Processing,
) -> Option<[String; 2]> {
    let (_, provider) = MODELS.iter().find(|(name, _)| *name == model.as_str())?;
    let context = PriceContext::at(at).with_processing(processing);
    let listing = prices.find(provider, model.as_str()).ok()?;
    let card = &listing.price(&context).ok()?.rates;
    let rate = |kind| card.rate(kind).map(|rate| rate.base().price.to_string());
    Some([
        rate(UsageKind::InputTokens)?,
        rate(UsageKind::OutputTokens)?,
    ])
}
