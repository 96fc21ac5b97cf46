import Support
import TSDB
import Testing

/// `Tests/stories` is the specification of what is told when. The original holds it in real time (`Tests/system/stories.py`), our
/// machine here, without waiting.
@Suite("stories of alerting")
struct StoryTests {
    /// `ours`: where we do better than the original.
    static let paths = ["Tests/stories", "Tests/stories/ours"].flatMap { folder in
        PackageFiles.names(in: folder).filter { $0.hasSuffix(".yml") }.map { folder + "/" + $0 }
    }

    /// Stories that `Tests/system/random_stories.py` made up and the original was recorded in: `MINPROM_STORIES=FOLDER`.
    static let foreign: [String] = {
        guard let folder = SharedData.environment("MINPROM_STORIES") else { return [] }
        return SharedData.list(folder).map(\.path).filter { $0.hasSuffix(".yml") }
    }()

    @Test("stories are where they should be")
    func exist() { #expect(Self.paths.count >= 95) }

    @Test("the machine tells what the story expects", arguments: paths)
    func holds(_ path: String) throws { try check(PackageFiles.text(path) ?? "") }

    @Test("the machine tells what the original told in stories made by chance", arguments: foreign)
    func holdsByChance(_ path: String) throws {
        try check(String(decoding: SharedData.read(path) ?? [], as: UTF8.self))
    }

    private func check(_ text: String) throws {
        let story = try Story(text)
        var player = try StoryPlayer(story)
        try player.play()
        let problems = player.problems + StoryComparison(story, player.told).problems
        #expect(problems.isEmpty, "\(story.title)\n\(problems.joined(separator: "\n"))")
    }
}

/// Expected against told: in order for each webhook and group, any order across them.
struct StoryComparison {
    private(set) var problems: [String] = []

    init(_ story: Story, _ told: [StoryPlayer.Told]) {
        let threads = Set(story.expected.map { [$0.to, $0.groupKey] } + told.map { [$0.to, $0.groupKey] })
        for thread in threads.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let wanted = story.expected.filter { [$0.to, $0.groupKey] == thread }
            let found = told.filter { [$0.to, $0.groupKey] == thread }
            let place = thread.joined(separator: " ")
            for (number, pair) in zip(wanted, found).enumerated() {
                for difference in Self.differences(pair.0, pair.1) {
                    problems.append("\(place) #\(number + 1): \(difference)")
                }
            }
            for missing in wanted.dropFirst(found.count) {
                problems.append("\(place): never came: \(missing.at.seconds) s \(missing.fields) \(missing.alerts)")
            }
            for extra in found.dropFirst(wanted.count) {
                problems.append("\(place): not expected: \(extra.at.seconds) s \(extra.fields) \(extra.alerts)")
            }
        }
    }

    private static func differences(_ wanted: Story.Expectation, _ found: StoryPlayer.Told) -> [String] {
        var result: [String] = []
        if abs((wanted.at - found.at).milliseconds) > wanted.within.milliseconds {
            result.append("came at \(found.at.seconds) s, not \(wanted.at.seconds) s")
        }
        if wanted.answered != found.answered { result.append("answered \(found.answered ?? "200")") }
        if !wanted.attempts.contains(found.attempts) {
            result.append("\(found.attempts) attempts, not \(wanted.attempts)")
        }
        for (name, value) in wanted.fields.sorted(by: { $0.key < $1.key }) where found.fields[name] != value {
            result.append("\(name) is \(found.fields[name] ?? ""), not \(value)")
        }
        let isSame =
            wanted.alerts.count == found.alerts.count
            && zip(wanted.alerts, found.alerts).allSatisfy { isSameAlert($0, $1, within: wanted.within) }
        if !isSame { result.append("alerts are \(found.alerts), not \(wanted.alerts)") }
        return result
    }

    private static func isSameAlert(_ wanted: [String: String], _ found: [String: String], within: Duration) -> Bool {
        found.allSatisfy { name, value in
            guard let other = wanted[name] else { return false }
            guard name == "startsAt" || name == "endsAt", value != "never", other != "never" else {
                return value == other
            }
            guard let a = try? StoryNode.duration(value), let b = try? StoryNode.duration(other) else { return false }
            return abs((a - b).milliseconds) <= within.milliseconds
        }
    }
}
