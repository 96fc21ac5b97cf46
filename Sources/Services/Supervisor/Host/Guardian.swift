import CSpawn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process beside ours that ends our children should we be killed.
///
///     supervisor ── pipe: (group, signal) … ──▶ guardian       the pipe breaks ─▶ each group gets its signal, later SIGKILL
///
/// `PR_SET_PDEATHSIG` reaches children, on Linux; this reaches their children, too, and macOS. A copy of us that runs a few lines of C: next
/// to no memory of its own, and nothing that could hang.
struct Guardian: Sendable {
    private let output: Int32

    init() throws(HostError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let code = cspawn_guard(ends[0])
        close(ends[0])
        guard code == 0 else {
            close(ends[1])
            throw .system("no guardian", code)
        }
        output = ends[1]
    }

    func watch(_ group: Int32, signal: Int32) { tell(cspawn_ward(group: group, signal: signal)) }

    func forget(_ group: Int32) { tell(cspawn_ward(group: group, signal: 0)) }

    private func tell(_ ward: cspawn_ward) { withUnsafeBytes(of: ward) { _ = writeAll($0, to: output) } }
}
