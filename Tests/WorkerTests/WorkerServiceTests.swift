import DemoSupport
import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Postgres
import ServiceProcess
import Synchronization
import Testing

@testable import Worker

@Suite("The worker")
struct WorkerServiceTests {
    private let stop = StopRequest()

    private func worker(_ database: ScriptedDatabase, _ variables: [String: String] = ["WORKER_PERIOD_MS": "10"]) throws -> WorkerService {
        WorkerService(
            database.pool(size: 2), pace: try WorkerService.Pace { variables[$0] }, token: AccessToken("ADMIN_TOKEN", "secret"), stop: stop,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { 1_700_000_000 })
    }

    private func ask(_ worker: WorkerService, _ method: HTTPRequest.Method, _ path: String, query: String = "", token: String? = "secret") async
        -> (status: Int, text: String)
    {
        var headers: HTTPFields = [:]
        if let token { headers[.authorization] = "Bearer \(token)" }
        let reply = await worker.answer(APIRequest(method, path, query: query, headers: headers))
        guard case .buffer(let buffer) = reply.body else { return (reply.status.code, "") }
        return (reply.status.code, String(buffer: buffer))
    }

    /// A database that hands out `jobs` in batches of ten, and lets a test wait until it has been asked for something.
    private final class Jobs: Sendable {
        let left: Mutex<Int>
        let asked: AsyncStream<String>
        let continuation: AsyncStream<String>.Continuation

        init(_ jobs: Int) {
            left = Mutex(jobs)
            (asked, continuation) = AsyncStream.makeStream(of: String.self)
        }

        func answer(_ statement: String) -> Result<Rows, PostgresError> {
            defer { continuation.yield(statement) }
            if statement.contains("SKIP LOCKED") {
                let taken = left.withLock { left in
                    let taken = min(left, 10)
                    left -= taken
                    return taken
                }
                return .success(Rows(affected: taken))
            }
            let waiting = left.withLock { $0 }
            return .success(Rows(columns: ["waiting"], cells: [["\(waiting)"]]))
        }

        /// Returns after `count` more statements with `text` in them.
        func wait(for text: String, count: Int = 1) async {
            var left = count
            for await statement in asked where statement.contains(text) {
                left -= 1
                if left == 0 { return }
            }
        }
    }

    @Test("batches are done and counted; the queue's length is the database's word")
    func works() async throws {
        let jobs = Jobs(25), worker = try worker(ScriptedDatabase { statement, _ in jobs.answer(statement) }, ["WORKER_RATE": "10000"])
        let work = Task { await worker.work(workers: 1) }
        await jobs.wait(for: "SKIP LOCKED", count: 4)
        work.cancel()
        await work.value
        let page = await ask(worker, .get, "/metrics", token: nil).text
        #expect(page.contains("worker_rows_inserted_total 25\n"))
        #expect(page.contains("worker_batches_total{result=\"success\"} 3\n"))
        #expect(page.contains("worker_batch_duration_seconds_count 3\n"))
        #expect(page.contains("worker_last_success_timestamp_seconds 1.7e+09\n"))
        #expect(page.contains("worker_queue_length "))
        #expect(page.contains("worker_concurrency 0\n"))
    }

    @Test("while the database is away the worker is up and healthy, says so, and goes on by itself when it is back")
    func waits() async throws {
        let jobs = Jobs(0), database = ScriptedDatabase { statement, _ in jobs.answer(statement) }, worker = try worker(database)
        database.stop()
        #expect(await ask(worker, .get, "/-/ready").status == 503)
        let work = Task { await worker.work(workers: 1) }
        #expect(await ask(worker, .get, "/-/healthy").status == 200)
        #expect(!(await ask(worker, .get, "/metrics").text.contains("\nworker_queue_length ")))
        database.start()
        await jobs.wait(for: "SKIP LOCKED")
        await jobs.wait(for: "count(*)")
        work.cancel()
        await work.value
        #expect(await ask(worker, .get, "/-/ready").status == 200)
    }

    @Test("workers are added and taken away while it runs")
    func scales() async throws {
        let jobs = Jobs(0), worker = try worker(ScriptedDatabase { statement, _ in jobs.answer(statement) })
        let work = Task { await worker.work(workers: 1) }
        await jobs.wait(for: "SKIP LOCKED")
        #expect(await ask(worker, .get, "/-/scale").text == "{\"workers\":1}\n")
        for count in [3, 16, 0, 1] {
            #expect(await ask(worker, .post, "/-/scale", query: "workers=\(count)").text == "{\"workers\":\(count)}\n")
            #expect(await ask(worker, .get, "/metrics").text.contains("worker_concurrency \(count)\n"))
        }
        work.cancel()
        await work.value
    }

    @Test(
        "numbers out of range are 400",
        arguments: [
            ("/-/scale", "workers=17"), ("/-/scale", "workers=-1"), ("/-/scale", ""), ("/-/scale", "workers=x"), ("/-/enqueue", "jobs=100001"),
            ("/-/enqueue", "jobs=0"),
        ])
    func ranges(path: String, query: String) async throws {
        #expect(await ask(try worker(ScriptedDatabase()), .post, path, query: query).status == 400)
    }

    @Test("jobs are enqueued; without a database that is 503")
    func enqueues() async throws {
        let database = ScriptedDatabase { _, parameters in
            #expect(parameters == [.number(500)])
            return .success(Rows())
        }
        let worker = try worker(database)
        #expect(await ask(worker, .post, "/-/enqueue", query: "jobs=500").text == "{\"enqueued\":500}\n")
        database.stop()
        #expect(await ask(worker, .post, "/-/enqueue", query: "jobs=500").status == 503)
    }

    @Test("nothing without the token")
    func guarded() async throws {
        let worker = try worker(ScriptedDatabase())
        for path in ["/-/scale", "/-/enqueue", "/-/quit"] {
            #expect(await ask(worker, .post, path, query: "workers=1&jobs=1", token: nil).status == 401)
            #expect(await ask(worker, .post, path, query: "workers=1&jobs=1", token: "wrong").status == 403)
        }
    }

    @Test("variables out of range are an error that names them", arguments: ["WORKER_PERIOD_MS", "WORKER_RATE", "WORKER_BATCH"])
    func variables(name: String) {
        #expect { try WorkerService.Pace { $0 == name ? "0" : nil } } throws: { ($0 as? StartError)?.message.contains(name) == true }
    }
}
