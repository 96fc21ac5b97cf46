import SelfMetrics

/// The metrics page, in both formats that a scraper may ask for.
///
///     text         # TYPE flask_http_request_total counter          OpenMetrics    # TYPE flask_http_request counter
///                  flask_http_request_total{…} 3                                   flask_http_request_total{…} 3
///                  # TYPE flask_http_request_created gauge                         flask_http_request_created{…} 1.7e+09
///                  flask_http_request_created{…} 1.7e+09                           # EOF
///
/// The times at which series began are families of their own in the text format, which has no place for them.
/// Source: client_python 0.26, run; “OpenMetrics 1.0”, §“Counter”, §“Histogram”.
struct FlaskPage {
    enum Format { case text, openMetrics }

    struct Sample {
        var suffix: String
        var labels: [(String, String)]
        var value: Double
    }

    struct Family {
        /// Without `_total`.
        var name: String
        var kind: MetricsPage.Kind
        var help: String
        var samples: [Sample] = []
        /// In the order of the series.
        var created: [Sample] = []
    }

    var families: [Family]

    init(_ state: FlaskMetrics.State, process: ProcessMetrics.Snapshot?) {
        families = Self.process(process)
        families.append(
            Family(
                name: "flask_exporter_info", kind: .gauge, help: "Information about the Prometheus Flask exporter",
                samples: [Sample(suffix: "", labels: [("version", "0.23.2")], value: 1)]))
        families.append(Self.durations(state.durations.series))
        families.append(Self.counter("flask_http_request", "Total number of HTTP requests", state.totals.series))
        families.append(
            Self.counter(
                "flask_http_request_exceptions", "Total number of HTTP requests which resulted in an exception", state.exceptions.series))
        families.removeAll { $0.samples.isEmpty }
    }

    /// Only samples with these names, as `?name[]=` asks for; the families of others go.
    mutating func keep(_ names: Set<String>) {
        for index in families.indices {
            let name = families[index].name
            families[index].samples.removeAll { !names.contains(name + $0.suffix) }
            families[index].created.removeAll { !names.contains(name + $0.suffix) }
        }
        families.removeAll { $0.samples.isEmpty && $0.created.isEmpty }
    }

    func bytes(_ format: Format) -> [UInt8] {
        var page = MetricsPage()
        for family in families {
            switch format {
            case .text:
                page.family(family.name + (family.kind == .counter ? "_total" : ""), family.kind, family.help)
                for sample in family.samples { page.sample(family.name + sample.suffix, sample.labels, sample.value) }
                guard !family.created.isEmpty else { continue }
                page.family(family.name + "_created", .gauge, family.help)
                for sample in family.created { page.sample(family.name + sample.suffix, sample.labels, sample.value) }
            case .openMetrics:
                page.family(family.name, family.kind, family.help)
                // Lines of one series stand together, so its beginning comes where its samples end.
                let length = family.created.isEmpty ? 0 : family.samples.count / family.created.count
                for (index, sample) in family.samples.enumerated() {
                    page.sample(family.name + sample.suffix, sample.labels, sample.value)
                    guard length > 0, (index + 1) % length == 0, family.created.indices.contains(index / length) else { continue }
                    let created = family.created[index / length]
                    page.sample(family.name + created.suffix, created.labels, created.value)
                }
                if family.samples.isEmpty {
                    for created in family.created { page.sample(family.name + created.suffix, created.labels, created.value) }
                }
            }
        }
        return format == .text ? page.bytes : page.bytes + Array("# EOF\n".utf8)
    }

    // MARK: Families

    private static func durations(_ series: [FlaskMetrics.Duration]) -> Family {
        var family = Family(
            name: "flask_http_request_duration_seconds", kind: .histogram, help: "Flask HTTP request duration in seconds")
        for duration in series {
            let labels = [("method", duration.labels.method), ("path", duration.labels.path), ("status", duration.labels.status)]
            var total = 0
            for (bound, count) in zip(FlaskMetrics.bounds, duration.counts) {
                total &+= count
                family.samples.append(Sample(suffix: "_bucket", labels: [("le", bound.text)] + labels, value: Double(total)))
            }
            family.samples.append(Sample(suffix: "_count", labels: labels, value: Double(total)))
            family.samples.append(Sample(suffix: "_sum", labels: labels, value: duration.sum))
            family.created.append(Sample(suffix: "_created", labels: labels, value: duration.created))
        }
        return family
    }

    private static func counter(_ name: String, _ help: String, _ series: [FlaskMetrics.Count]) -> Family {
        var family = Family(name: name, kind: .counter, help: help)
        for count in series {
            let labels = [("method", count.labels.method), ("status", count.labels.status)]
            family.samples.append(Sample(suffix: "_total", labels: labels, value: Double(count.value)))
            family.created.append(Sample(suffix: "_created", labels: labels, value: count.created))
        }
        return family
    }

    /// `python_info` and `python_gc_*` would be a lie; what we run on is said instead.
    private static func process(_ now: ProcessMetrics.Snapshot?) -> [Family] {
        func gauge(_ name: String, _ help: String, _ value: Double) -> Family {
            Family(name: name, kind: .gauge, help: help, samples: [Sample(suffix: "", labels: [], value: value)])
        }
        var families = [
            Family(
                name: "swift_info", kind: .gauge, help: "Swift platform information",
                samples: [Sample(suffix: "", labels: [("version", swiftVersion)], value: 1)])
        ]
        guard let now else { return families }
        families.append(gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", now.virtualBytes))
        families.append(gauge("process_resident_memory_bytes", "Resident memory size in bytes.", now.residentBytes))
        families.append(
            gauge(
                "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", now.startTime))
        families.append(
            Family(
                name: "process_cpu_seconds", kind: .counter, help: "Total user and system CPU time spent in seconds.",
                samples: [Sample(suffix: "_total", labels: [], value: now.cpuSeconds)]))
        families.append(gauge("process_open_fds", "Number of open file descriptors.", Double(now.openFiles)))
        families.append(gauge("process_max_fds", "Maximum number of open file descriptors.", now.maxFiles))
        return families
    }

    private static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
