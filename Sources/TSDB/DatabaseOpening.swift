/// From a directory to a database: the lock, the log, the head.
///
///     DIRECTORY/lock                one process at a time
///     DIRECTORY/wal/checkpoint.N    the head as it lay in memory
///     DIRECTORY/wal/NNNNNNNN        what came since
extension Database {
    /// Opens the database in `directory`, made if it does not exist, and reads its log. What is damaged is skipped and stands in
    /// `replay`; it never keeps the database from opening. Throws `.io` where the directory cannot be used: another process
    /// has it, or the system refuses.
    public static func open(
        _ directory: String, options: DatabaseOptions = DatabaseOptions(), files: any FileStore, clock: any WallClock
    ) throws(TSDBError) -> Database {
        try files.createDirectory(directory)
        let lock = try files.lock(directory + "/lock")
        let head = Head(options: options.head)
        var visitor = HeadReplay(head, ExemplarRing(capacity: options.maxExemplars), window: options.outOfOrderWindow)
        do throws(TSDBError) {
            let (wal, report) = try WAL.open(directory + "/wal", files, options: options.wal, visitor: &visitor)
            var replay = report
            replay.lostSampleCount += visitor.orphanCount
            replay.deletionCount = visitor.deletionCount
            let database = Database(
                head, options: options, clock: clock, wal: wal, directoryLock: lock, replay: replay,
                exemplars: visitor.exemplars)
            // The log's numbers are another server's: from here on only ours.
            if visitor.adopted != nil { try database.checkpoint() }
            return database
        } catch {
            lock.release()
            throw error
        }
    }
}
