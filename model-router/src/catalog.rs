//! Which models are sold, at what price, and what can they do?

mod prices;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::civil::Date;

use self::table::Row;
pub use self::table::{CatalogError, CatalogProblem};
use crate::name::{ModelId, ProviderId};
use crate::price_list::{ModelPrices, NamePattern, PriceList, PricedProvider};
use crate::price_terms::Source;

/// The texts of a catalog: tables of comma-separated cells without quotes, their columns named in the
/// first line.
///
/// The crate `bursar-catalog` has the tables that were shipped; a newer or another set is read the same
/// way.
#[derive(Debug, Clone, Copy)]
pub struct CatalogText<'a> {
    /// `provider,names,models,stand_ins`: other names of a provider, names of its own models, and whose
    /// prices hold where it has none. Names are [`NamePattern`]s.
    pub providers: &'a str,
    /// `provider,model,names,context_window,max_output,input,output,features,deprecated_on`, in the order
    /// in which names are tried.
    pub models: &'a str,
    /// `provider,model,processing,region,from,until,hours,above,input,output,cache_read,cache_write,`
    /// `cache_write_1h,others,source`: US dollars per million tokens. `above` is the length of input over
    /// which a row holds in place of the one before it. `others` has further kinds, `web_searches=10`, per
    /// million tokens and per thousand of anything else.
    pub prices: &'a str,
    /// `source,name,url,read_on`.
    pub sources: &'a str,
}

/// The models that are sold, with prices and abilities.
///
/// ```
/// use bursar_model_router::{Catalog, CatalogText, PriceContext, Usage, UsageKind};
///
/// let catalog = Catalog::parse(&CatalogText {
///     providers: "provider,names,models,stand_ins\naws,*bedrock*,,\n",
///     models: "provider,model,names,context_window,max_output,input,output,features,deprecated_on\n\
///              aws,amazon.nova-lite-v1:0,,300000,10000,text image,text,tools,\n",
///     prices: "provider,model,processing,region,from,until,hours,above,input,output,cache_read,\
///              cache_write,cache_write_1h,others,source\n\
///              aws,amazon.nova-lite-v1:0,standard,,,,,,0.06,0.24,0.015,,,,aws\n\
///              aws,amazon.nova-lite-v1:0,batch,,,,,,0.03,0.12,,,,,aws\n",
///     sources: "source,name,url,read_on\naws,AWS Price List,https://aws.amazon.com/bedrock/pricing,2026-11-20\n",
/// })?;
/// let usage = Usage::new().with(UsageKind::InputTokens, 1_000);
/// let context = PriceContext::at("2026-11-20T00:00:00Z".parse()?);
/// let cost = catalog.prices().cost("bedrock", "amazon.nova-lite-v1:0", &usage, &context)?;
/// assert_eq!(cost.total()?.to_string(), "0.00006 USD");
/// assert_eq!(catalog.models()[0].context_window, Some(300_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    models: Vec<CatalogModel>,
    prices: PriceList,
}

/// What a model can do, as far as a source says so.
///
/// Models that can do the same share one set of words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogModel {
    /// Who serves it.
    pub provider: ProviderId,
    /// Its name there.
    pub id: ModelId,
    /// The most tokens of a call.
    pub context_window: Option<u64>,
    /// The most tokens of an answer.
    pub max_output: Option<u64>,
    /// What can be put in: `text`, `image`, `audio`, `video`, `pdf`. Empty where it is not known.
    pub input: Arc<BTreeSet<Box<str>>>,
    /// What comes out. Empty where it is not known.
    pub output: Arc<BTreeSet<Box<str>>>,
    /// What it can do: `tools`, `json_schema`, `reasoning`, `prompt_caching`. What is not in it is not
    /// known, which does not mean that the model cannot.
    pub features: Arc<BTreeSet<Box<str>>>,
    /// When its provider stops to serve it, or did.
    pub deprecated_on: Option<Date>,
}

impl Catalog {
    /// The catalog in these texts.
    ///
    /// # Errors
    /// [`CatalogError`] with the table and the line.
    pub fn parse(text: &CatalogText<'_>) -> Result<Self, CatalogError> {
        let sources = sources(text.sources)?;
        let mut prices = prices::parse(text.prices, &sources)?;
        let mut shared = Shared::default();
        let mut models = Vec::with_capacity(text.models.lines().count());
        let mut of_provider: BTreeMap<ProviderId, Vec<ModelPrices>> = BTreeMap::new();
        for row in table::rows("models", text.models, 9)? {
            let row = row?;
            let model = model(&row, &mut shared)?;
            let priced = ModelPrices {
                id: model.id.clone(),
                names: names(&row)?,
                prices: prices.take(row.cell(0), row.cell(1)),
            };
            match of_provider.get_mut(&model.provider) {
                Some(known) => known.push(priced),
                None => {
                    of_provider.insert(model.provider.clone(), vec![priced]);
                }
            }
            models.push(model);
        }
        if let Some(error) = prices.first_unknown() {
            return Err(error);
        }
        let providers = providers(text.providers, of_provider)?;
        Ok(Self {
            models,
            prices: PriceList::new(providers),
        })
    }

    /// Every model, in the order of the text.
    #[must_use]
    pub fn models(&self) -> &[CatalogModel] {
        &self.models
    }

    /// What they cost.
    #[must_use]
    pub const fn prices(&self) -> &PriceList {
        &self.prices
    }
}

fn sources(text: &str) -> Result<BTreeMap<&str, Arc<Source>>, CatalogError> {
    let mut sources = BTreeMap::new();
    for row in table::rows("sources", text, 4)? {
        let row = row?;
        let mut source = Source::new(row.cell(1));
        if let Some(url) = row.some(2) {
            source = source.with_url(url);
        }
        source.read_on = row.parsed(3)?;
        sources.insert(row.cell(0), Arc::new(source));
    }
    Ok(sources)
}

/// What many models have in common and share one copy of.
#[derive(Default)]
struct Shared<'a> {
    provider: Option<ProviderId>,
    words: HashMap<&'a str, Arc<BTreeSet<Box<str>>>, FixedState>,
}

impl<'a> Shared<'a> {
    /// The provider of a row, mostly the one of the row before it.
    fn provider(&mut self, row: &Row<'a>) -> Result<ProviderId, CatalogError> {
        let last = self.provider.clone();
        let provider = match last.filter(|last| last.as_str() == row.cell(0)) {
            Some(last) => last,
            None => row.required(0)?,
        };
        self.provider = Some(provider.clone());
        Ok(provider)
    }

    fn words(&mut self, cell: &'a str) -> Arc<BTreeSet<Box<str>>> {
        let words = self.words.entry(cell).or_insert_with(|| {
            let words = cell.split_ascii_whitespace();
            Arc::new(words.map(Box::from).collect())
        });
        Arc::clone(words)
    }
}

fn model<'a>(row: &Row<'a>, shared: &mut Shared<'a>) -> Result<CatalogModel, CatalogError> {
    Ok(CatalogModel {
        provider: shared.provider(row)?,
        id: row.required(1)?,
        context_window: row.parsed(3)?,
        max_output: row.parsed(4)?,
        input: shared.words(row.cell(5)),
        output: shared.words(row.cell(6)),
        features: shared.words(row.cell(7)),
        deprecated_on: row.parsed(8)?,
    })
}

fn names(row: &Row<'_>) -> Result<NamePattern, CatalogError> {
    let names = row.parsed(2)?;
    Ok(names.unwrap_or_else(|| NamePattern::equals(row.cell(1))))
}

fn providers(
    text: &str,
    mut models: BTreeMap<ProviderId, Vec<ModelPrices>>,
) -> Result<Vec<PricedProvider>, CatalogError> {
    let mut providers = Vec::new();
    for row in table::rows("providers", text, 4)? {
        let row = row?;
        let id: ProviderId = row.required(0)?;
        let own = models.remove(&id).unwrap_or_default();
        let mut provider = PricedProvider::new(id);
        if let Some(names) = row.parsed(1)? {
            provider = provider.also_called(names);
        }
        if let Some(names) = row.parsed(2)? {
            provider = provider.owning(names);
        }
        for stand_in in row.cell(3).split_ascii_whitespace() {
            let stand_in = ProviderId::new(stand_in).map_err(|error| row.refuse(3, error))?;
            provider = provider.with_stand_in(stand_in);
        }
        providers.push(provider.with_models(own));
    }
    // A provider without names of its own needs no row.
    for (id, own) in models {
        providers.push(PricedProvider::new(id).with_models(own));
    }
    Ok(providers)
}
