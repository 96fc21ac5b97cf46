import Synchronization
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Asks file systems for their room and is not held up by one that never answers: statvfs(3) on a dead NFS mount may hang for days.
///
///     thread ── / ── /home ── /nfs ……(hangs)           the scrape waits `timeout`, leaves the thread behind, marks /nfs
///     new thread ──────────────────── /data            the rest is asked by another
///     next scrape: /nfs is marked, so it is not asked; when its thread comes back, the mark goes
///
/// Invariant: at most one thread hangs per mount point.
final class MountWatch: Sendable {
    enum Answer: Equatable, Sendable {
        case usage(FilesystemUsage)
        case failure(String)

        /// node_exporter's words.
        static let timeout = Answer.failure("mountpoint timeout")
    }

    typealias Question = @Sendable (_ path: String) -> Answer

    private let hanging = HangingMounts()
    private let question: Question

    init(_ question: @escaping Question = MountWatch.ask) { self.question = question }

    /// The answers for `paths`, in their order.
    func usages(of paths: [String], timeout: Double) -> [Answer] {
        var answers = [Answer?](repeating: nil, count: paths.count)
        var pending: [Int] = []
        for (index, path) in paths.enumerated() {
            if hanging.contains(path) { answers[index] = .timeout } else { pending.append(index) }
        }
        while !pending.isEmpty {
            let round = Round(pending.map { paths[$0] }, question, hanging)
            guard round.start() else {
                for index in pending { answers[index] = .failure("no thread to ask it") }
                break
            }
            let found = round.wait(timeout)
            for (index, answer) in zip(pending, found) { answers[index] = answer }
            pending = Array(pending.dropFirst(found.count))
        }
        return answers.map { $0 ?? .timeout }
    }

    @Sendable static func ask(_ path: String) -> Answer {
        #if os(Linux)
            var answer = statvfs()
            guard statvfs(path, &answer) == 0 else { return .failure(String(cString: strerror(errno)).lowercased()) }
            let block = Double(answer.f_frsize)
            return .usage(
                FilesystemUsage(
                    size: Double(answer.f_blocks) * block, free: Double(answer.f_bfree) * block,
                    available: Double(answer.f_bavail) * block, files: Double(answer.f_files), filesFree: Double(answer.f_ffree)))
        #else
            return .failure("not supported")
        #endif
    }
}

/// Mount points whose thread has not come back.
private final class HangingMounts: Sendable {
    private let paths = Mutex<Set<String>>([])

    func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }
    func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
    func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }
}

/// One thread and the paths it asks, one after the other.
private final class Round: @unchecked Sendable {
    // Sendable: `answers`, `isAbandoned` are touched under `monitor` only; the rest is constant.
    private let paths: [String]
    private let question: MountWatch.Question
    private let hanging: HangingMounts
    private let monitor = Monitor()
    private var answers: [MountWatch.Answer] = []
    private var isAbandoned = false

    init(_ paths: [String], _ question: @escaping MountWatch.Question, _ hanging: HangingMounts) {
        self.paths = paths
        self.question = question
        self.hanging = hanging
    }

    func start() -> Bool { startThread(named: "mounts") { [self] in ask() } == 0 }

    private func ask() {
        for path in paths {
            let answer = question(path)
            let isOver = monitor.withLock {
                if isAbandoned { hanging.remove(path) } else { answers.append(answer) }
                monitor.ring()
                return isAbandoned
            }
            if isOver { return }
        }
    }

    /// Answers from the front: all of them, or those up to a mount that took longer than `timeout`, whose answer is the last.
    func wait(_ timeout: Double) -> [MountWatch.Answer] {
        let patience = Duration.seconds(min(max(timeout, 0.001), 3600))
        return monitor.withLock {
            while answers.count < paths.count {
                let seen = answers.count, deadline = ContinuousClock.now + patience
                while answers.count == seen {
                    let left = deadline - ContinuousClock.now
                    guard left > .zero else {
                        isAbandoned = true
                        hanging.insert(paths[seen])
                        return answers + [.timeout]
                    }
                    monitor.wait(atMost: left)
                }
            }
            return answers
        }
    }
}
