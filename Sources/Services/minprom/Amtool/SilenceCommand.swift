import Alerter
import ArgumentParser
import JSON
import Numbers
import PrometheusClient
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `minprom amtool silence`: what an Alertmanager keeps quiet about.
struct SilenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silence", abstract: "Add, expire or view silences.",
        subcommands: [Query.self, Add.self, Expire.self, Import.self, Update.self], defaultSubcommand: Query.self)

    struct Query: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "View silences: those that are not over, unless --expired.")

        @Flag(help: "Show expired silences instead of active.") var expired = false
        @Flag(name: .shortAndLong, help: "Only show silence ids.") var quiet = false
        @Option(name: .customLong("created-by"), help: "Show silences that belong to this creator.") var createdBy = ""
        @Option(help: "Get a single silence by its ID.") var id = ""
        @Option(help: "Show silences that will expire or have expired within a duration.") var within: String?
        @Argument(help: "Matchers; a first word that is none is an alert's name.") var matchers: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                let span = try within.map(AmtoolText.goDuration) ?? .zero
                let now = SystemClock().now()
                let shown = try await client.silences(filter: AmtoolMatchers.named(matchers)).filter { silence in
                    let isOver = silence.endsAt < now
                    let isNear = expired ? silence.endsAt >= now - span : silence.endsAt <= now + span
                    return isOver == expired && (span <= .zero || isNear)
                        && (createdBy.isEmpty || silence.createdBy == createdBy)
                        && (id.isEmpty || silence.id == id)
                }
                AmtoolText.show(shown, isQuiet: quiet, options)
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new silence; its id is printed.",
            discussion: "minprom amtool silence add Down job=api -d 2h -c 'known'")

        @Option(name: .shortAndLong, help: "Who makes it; without, the user's name.") var author: String?
        @Flag(name: .customLong("require-comment"), inversion: .prefixedNo, help: .hidden) var requiresComment = true
        @Option(name: .shortAndLong, help: "Duration of silence.") var duration = "1h"
        @Option(help: "When the silence starts: RFC 3339.") var start: String?
        @Option(help: "When the silence ends (overwrites duration): RFC 3339.") var end: String?
        @Option(name: .shortAndLong, help: "A comment to help describe the silence.") var comment = ""
        @Option(help: "An annotation, as name=value; may be repeated.") var annotation: [String] = []
        @Argument(help: "Matchers; a first word that is none is an alert's name.") var matchers: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                var parsed: [ListedMatcher] = []
                for text in AmtoolMatchers.named(matchers) {
                    parsed.append(ListedMatcher(try MatcherText.matcher(text)))
                }
                if parsed.isEmpty { throw StartError("no matchers specified") }
                let startsAt = try start.map(AmtoolText.time) ?? SystemClock().now()
                let endsAt = try end.map(AmtoolText.time) ?? startsAt + AmtoolText.duration(duration)
                if startsAt > endsAt { throw StartError("silence cannot start after it ends") }
                if requiresComment && comment.isEmpty { throw StartError("comment required by config") }
                let silence = PostedSilence(
                    matchers: parsed, startsAt: startsAt, endsAt: endsAt, createdBy: author ?? Self.userName,
                    comment: comment,
                    annotations: try AmtoolMatchers.pairs(annotation, "annotations"))
                print(try await client.set(silence))
            }
        }

        private static var userName: String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "" }
    }

    struct Expire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Expire silences.")

        @Argument(help: "Ids of silences to expire.") var ids: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                if ids.isEmpty { throw StartError("no silence IDs specified") }
                for id in ids { try await client.expire(id) }
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Import silences from a JSON file or standard input, as `silence query -o json` writes them.")

        @Flag(name: .shortAndLong, help: "Add new silences even if they already exist.") var force = false
        @Option(name: .shortAndLong, help: "Number of concurrent workers to use for import.") var worker = 8
        @Argument(help: "JSON file with silences.") var file: String?
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                let silences = try read()
                let failures = await withTaskGroup(of: Bool.self) { group in
                    var waiting = silences[...], failures = 0
                    for _ in 0..<min(max(worker, 1), 64) {
                        guard let silence = waiting.popFirst() else { break }
                        group.addTask { await Self.add(silence, client) }
                    }
                    while let isDone = await group.next() {
                        if !isDone { failures += 1 }
                        if let silence = waiting.popFirst() { group.addTask { await Self.add(silence, client) } }
                    }
                    return failures
                }
                if failures > 0 { throw StartError("couldn't import \(failures) out of \(silences.count) silences") }
            }
        }

        private func read() throws -> [JSONValue] {
            let value: JSONValue
            do {
                value = try JSONValue(parsing: String(decoding: try AmtoolFiles.read(file ?? "-"), as: UTF8.self))
            } catch let error as JSONError { throw StartError("couldn't unmarshal input data, is it JSON?: \(error)") }
            guard case .array(let silences) = value else {
                throw StartError("couldn't unmarshal input data, is it JSON?")
            }
            // What the server says about a silence is not part of it.
            return silences.map { ($0.without("status").without("updatedAt")) }.map { force ? $0.without("id") : $0 }
        }

        private static func add(_ silence: JSONValue, _ client: AlertmanagerClient) async -> Bool {
            do {
                print(try await client.importSilence(silence))
                return true
            } catch {
                Console.write("Error adding silence id='\(silence["id"]?.string ?? "")': \(error)\n")
                return false
            }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Update silences.")

        @Flag(name: .shortAndLong, help: "Only show silence ids.") var quiet = false
        @Option(name: .shortAndLong, help: "Duration of silence.") var duration: String?
        @Option(help: "When the silence starts: RFC 3339.") var start: String?
        @Option(help: "When the silence ends (overwrites duration): RFC 3339.") var end: String?
        @Option(name: .shortAndLong, help: "A comment to help describe the silence.") var comment = ""
        @Argument(help: "Silence IDs to update.") var ids: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                if ids.isEmpty { throw StartError("no silence IDs specified") }
                var updated: [ListedSilence] = []
                for id in ids {
                    var silence = try await client.silence(id)
                    if let start { silence.startsAt = try AmtoolText.time(start) }
                    if let end {
                        silence.endsAt = try AmtoolText.time(end)
                    } else if let duration {
                        silence.endsAt = silence.startsAt + (try AmtoolText.duration(duration))
                    }
                    if silence.startsAt > silence.endsAt { throw StartError("silence cannot start after it ends") }
                    if !comment.isEmpty { silence.comment = comment }
                    silence.id = try await client.set(
                        PostedSilence(
                            id: silence.id, matchers: silence.matchers, startsAt: silence.startsAt,
                            endsAt: silence.endsAt,
                            createdBy: silence.createdBy, comment: silence.comment, annotations: silence.annotations))
                    // As the server has it now.
                    updated.append(options.output == .json ? try await client.silence(silence.id) : silence)
                }
                AmtoolText.show(updated, isQuiet: quiet, options)
            }
        }
    }
}
