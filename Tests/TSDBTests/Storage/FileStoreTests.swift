import Support
import TSDB
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The disk and its double keep the same promises.
@Suite struct FileStoreTests {
    enum Kind: CaseIterable { case disk, memory }

    /// A store and an empty directory in it; the directory is removed behind the test.
    func withStore(_ kind: Kind, _ body: (any FileStore, String) throws -> Void) throws {
        let store: any FileStore = kind == .disk ? DiskFileStore() : MemoryFileStore()
        let directory = "/tmp/minprom-filestore-\(UInt64.random(in: 0...UInt64.max))"
        try store.createDirectory(directory)
        defer { try? store.remove(directory) }
        try body(store, directory)
    }

    @Test("what is appended is read back, at any offset", arguments: Kind.allCases)
    func appendAndRead(_ kind: Kind) throws {
        try withStore(kind) { store, directory in
            let path = directory + "/file"
            let file = try store.openForAppending(path)
            try [1, 2, 3, 4].withUnsafeBytes { try file.append($0) }
            try Array("hello".utf8).withUnsafeBytes { try file.append($0) }
            try file.synchronize()
            let all = try store.readAll(path)
            #expect(file.size == all.count)
            #expect(Array(all.suffix(5)) == Array("hello".utf8))

            let reader = try store.openForReading(path)
            var part = [UInt8](repeating: 0, count: 10)
            let n = try part.withUnsafeMutableBytes { try reader.read(into: $0, at: all.count - 3) }
            #expect(n == 3)
            #expect(Array(part[..<3]) == Array("llo".utf8))
            let none = try part.withUnsafeMutableBytes { try reader.read(into: $0, at: all.count) }
            #expect(none == 0)
        }
    }

    @Test("truncating and appending again continues at the cut", arguments: Kind.allCases)
    func truncate(_ kind: Kind) throws {
        try withStore(kind) { store, directory in
            let file = try store.openForAppending(directory + "/file")
            try Array("abcdef".utf8).withUnsafeBytes { try file.append($0) }
            try file.truncate(to: 2)
            #expect(file.size == 2)
            try Array("XY".utf8).withUnsafeBytes { try file.append($0) }
            file.close()
            let again = try store.openForAppending(directory + "/file")
            #expect(again.size == 4)
            #expect(try store.readAll(directory + "/file") == Array("abXY".utf8))
        }
    }

    @Test("directories are listed by name, renamed and removed with what they hold", arguments: Kind.allCases)
    func directories(_ kind: Kind) throws {
        try withStore(kind) { store, directory in
            try store.createDirectory(directory + "/b/c")
            try store.createDirectory(directory + "/b/c")
            _ = try store.openForAppending(directory + "/a")
            _ = try store.openForAppending(directory + "/b/c/d")
            #expect(try store.list(directory) == ["a", "b"])
            try store.rename(directory + "/b", to: directory + "/e")
            try store.synchronizeDirectory(directory)
            #expect(try store.list(directory + "/e/c") == ["d"])
            #expect(!store.exists(directory + "/b"))
            try store.remove(directory + "/e")
            #expect(!store.exists(directory + "/e/c/d"))
            try store.remove(directory + "/e")
            #expect(try store.list(directory) == ["a"])
        }
    }

    @Test("a lock is held once, until it is released", arguments: Kind.allCases)
    func locks(_ kind: Kind) throws {
        try withStore(kind) { store, directory in
            let held = try store.lock(directory + "/lock")
            #expect(throws: TSDBError.self) { _ = try store.lock(directory + "/lock") }
            held.release()
            held.release()
            let again = try store.lock(directory + "/lock")
            again.release()
        }
    }

    @Test("errors name the path and the reason", arguments: Kind.allCases)
    func errors(_ kind: Kind) throws {
        try withStore(kind) { store, directory in
            let path = directory + "/nothing"
            let error = #expect(throws: TSDBError.self) { _ = try store.openForReading(path) }
            #expect(error?.code == .io)
            #expect(error?.message == "open \(path): No such file or directory")
            #expect(throws: TSDBError.self) { _ = try store.list(path) }
            #expect(throws: TSDBError.self) { try store.rename(path, to: path + "2") }
            #expect(throws: TSDBError.self) { _ = try store.openForAppending(path + "/in/it") }
            _ = try store.openForAppending(directory + "/file")
            #expect(throws: TSDBError.self) { try store.createDirectory(directory + "/file") }
        }
    }
}

/// What the memory store adds: faults and forgetting.
@Suite struct MemoryFileStoreTests {
    @Test("a planned fault fails that operation, a short write leaves what got there")
    func faults() throws {
        let store = MemoryFileStore()
        let file = try store.openForAppending("f")
        store.setFault { number, _ in
            switch number {
            case 2: .failure("No space left on device")
            case 3: .shortWrite(2, "No space left on device")
            default: nil
            }
        }
        try Array("aa".utf8).withUnsafeBytes { try file.append($0) }
        #expect(throws: TSDBError.self) { try Array("bb".utf8).withUnsafeBytes { try file.append($0) } }
        #expect(file.size == 2)
        #expect(throws: TSDBError.self) { try Array("cccc".utf8).withUnsafeBytes { try file.append($0) } }
        #expect(store.bytes(of: "f") == Array("aacc".utf8))
    }

    @Test("a crash keeps what was synchronized and nothing that was not, when all else is dropped")
    func crash() throws {
        let store = MemoryFileStore()
        try store.createDirectory("d")
        try store.synchronizeDirectory("")
        let kept = try store.openForAppending("d/kept")
        try store.synchronizeDirectory("d")
        try Array("durable".utf8).withUnsafeBytes { try kept.append($0) }
        try kept.synchronize()
        try Array(" and not".utf8).withUnsafeBytes { try kept.append($0) }
        _ = try store.openForAppending("d/forgotten")
        for seed in 0..<50 as Range<UInt64> {
            let after = store.crashClone(dropping: 1, seed: seed)
            #expect(after.paths == ["d/kept"])
            #expect(after.bytes(of: "d/kept")?.starts(with: Array("durable".utf8)) == true)
        }
        let killed = store.crashClone(dropping: 0, seed: 0)
        #expect(killed.bytes(of: "d/kept") == Array("durable and not".utf8))
        #expect(killed.paths == ["d/forgotten", "d/kept"])
    }

    @Test("a crash undoes renames in order: never the second without the first")
    func renames() throws {
        let store = MemoryFileStore()
        _ = try store.openForAppending("a")
        try store.synchronizeDirectory("")
        try store.rename("a", to: "b")
        try store.rename("b", to: "c")
        var seen: Set<[String]> = []
        for seed in 0..<200 as Range<UInt64> { seen.insert(store.crashClone(dropping: 0.5, seed: seed).paths) }
        #expect(seen == [["a"], ["b"], ["c"]])
    }
}
