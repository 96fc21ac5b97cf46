import ComposeFile
import ServiceNames

/// How health is asked for: a page is asked for by the supervisor itself where that is all the check does, at little cost.
extension LaunchPlan {
    private static let webClients: Set<String> = ["minprom", "minprom-demo", "curl", "wget"]

    /// The pages that a check asks for, where that is all it does.
    static func pages(in test: ComposeService.HealthCheck.Test) -> [Probe.Page] {
        guard case .command(let words) = test, let first = words.first,
            webClients.contains(FilePath.lastComponent(first))
        else { return [] }
        let urls = words.filter { $0.hasPrefix("http://") }
        let pages = urls.compactMap { Probe.Page($0) }
        return pages.count == urls.count ? pages : []
    }

    func probe(_ test: ComposeService.HealthCheck.Test, _ names: ServiceNames, _ paths: PathMapping) -> Probe {
        let pages = Self.pages(in: test)
        if !pages.isEmpty { return .http(pages.map { $0.resolved(names) }) }
        switch test {
        case .command(let words): return .command(words.map(paths.rewrite))
        case .shell(let line): return .command(["/bin/sh", "-c", paths.rewrite(line)])
        }
    }
}
