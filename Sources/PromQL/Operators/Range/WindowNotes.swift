import Histograms

/// What is to be said about the windows of one series with native histograms: gathered while the kernel runs, said once.
struct WindowNotes: OptionSet {
    let rawValue: UInt16

    /// A window had floats and histograms, and has no answer.
    static let mixed = WindowNotes(rawValue: 1)
    /// Exponential and custom buckets in one window; no answer either.
    static let mixedSchemas = WindowNotes(rawValue: 2)
    static let notCounter = WindowNotes(rawValue: 4)
    static let notGauge = WindowNotes(rawValue: 8)
    /// A function of floats had histograms in a window with floats.
    static let ignored = WindowNotes(rawValue: 16)
    static let boundsInAddition = WindowNotes(rawValue: 32)
    static let boundsInSubtraction = WindowNotes(rawValue: 64)
    static let boundsInAggregation = WindowNotes(rawValue: 128)
    /// Of histograms added up, one followed a reset and another did not.
    static let resetCollision = WindowNotes(rawValue: 256)

    /// `range` is the place of the function's first argument.
    func say(of metric: String, at range: Range<Int>, _ context: QueryContext) {
        func say(_ note: WindowNotes, _ annotation: Annotation) {
            if contains(note) { context.annotate(annotation) }
        }
        say(.mixed, HistogramNotes.mixed(metric, at: range))
        say(.mixedSchemas, HistogramNotes.mixedSchemas(metric, at: range))
        say(.notCounter, HistogramNotes.notCounter(metric, at: range))
        say(.notGauge, HistogramNotes.notGauge(metric, at: range))
        say(.ignored, HistogramNotes.ignoredInMixedRange(metric, at: range))
        say(.boundsInAddition, HistogramNotes.boundsReconciled(.addition, at: range))
        say(.boundsInSubtraction, HistogramNotes.boundsReconciled(.subtraction, at: range))
        say(.boundsInAggregation, HistogramNotes.boundsReconciled(.aggregation, at: range))
        say(.resetCollision, HistogramNotes.resetCollision(.aggregation, at: range))
    }
}

extension FloatHistogram {
    /// `self += other` with its notes. `false`, and a note: their buckets do not go together.
    mutating func add(_ other: FloatHistogram, _ notes: inout WindowNotes) -> Bool {
        do {
            if try add(other).boundsReconciled { notes.insert(.boundsInAddition) }
            return true
        } catch {
            notes.insert(.mixedSchemas)
            return false
        }
    }

    /// `self −= other`.
    mutating func subtract(_ other: FloatHistogram, _ notes: inout WindowNotes) -> Bool {
        do {
            if try subtract(other).boundsReconciled { notes.insert(.boundsInSubtraction) }
            return true
        } catch {
            notes.insert(.mixedSchemas)
            return false
        }
    }
}
