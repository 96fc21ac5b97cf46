/// What a page came to, for the report series and the counters.
struct PageOutcome: Equatable, Sendable {
    /// Samples on the page (`scrape_samples_scraped`).
    var scraped = 0
    /// Left after metric relabeling (`scrape_samples_post_metric_relabeling`).
    var kept = 0
    /// New series (`scrape_series_added`).
    var seriesAdded = 0
    /// The same series twice on one page, or with another value at a time that is stored already.
    var duplicates = 0
    var outOfOrder = 0
    /// Too old, or more than ten minutes ahead.
    var outOfBounds = 0
    var outOfOrderExemplars = 0
    /// Storage takes no more series; the samples of known ones were kept.
    var refusedSeries = 0
    /// What storage said to the first refused series.
    var refusal: String?
}
