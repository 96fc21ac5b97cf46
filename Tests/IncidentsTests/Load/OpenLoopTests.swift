import Support
import Testing

@testable import Incidents

@Suite("An open loop, in virtual time")
struct OpenLoopTests {
    @Test("request n is due n/rate after the start, whatever the answers do")
    func schedule() throws {
        let schedule = try #require(ArrivalSchedule(rate: 20, length: .seconds(60)))
        #expect(schedule.count == 1200)
        #expect(schedule.due(0) == .zero && schedule.due(1) == .milliseconds(50) && schedule.due(1199) == .milliseconds(59_950))
        // No drift: a third of a second has no last digit, yet request 3000 is due on the second.
        #expect(ArrivalSchedule(rate: 3, length: .seconds(2000))?.due(3000) == .seconds(1000))
        #expect(ArrivalSchedule(rate: 0.5, length: .seconds(1))?.count == 1)
    }

    @Test(
        "a rate or a length that is none is refused",
        arguments: [(0.0, 1), (-1, 1), (.nan, 1), (.infinity, 1), (1e9, 1), (1, 0), (1, -1), (1, 100_000)])
    func refused(rate: Double, seconds: Int) { #expect(ArrivalSchedule(rate: rate, length: .seconds(seconds)) == nil) }

    /// Plays a load against a server that answers after `service(due)`, by the nearest event.
    private func play(rate: Double, seconds: Int, limit: Int, service: (Duration) -> Duration) throws -> (OpenLoop, LogHistogram) {
        var loop = OpenLoop(try #require(ArrivalSchedule(rate: rate, length: .seconds(seconds))), limit: limit)
        var latencies = LogHistogram()
        var answers: [(at: Duration, due: Duration)] = []
        while loop.nextDue != nil || !answers.isEmpty {
            let next = answers.indices.min { answers[$0].at < answers[$1].at }
            if let due = loop.nextDue, next.map({ answers[$0].at > due }) ?? true {
                for launch in loop.tick(at: due) { answers.append((due + service(due), launch.due)) }
            } else if let next {
                let answer = answers.remove(at: next)
                loop.finish()
                latencies.record(answer.at - answer.due)
            }
        }
        return (loop, latencies)
    }

    @Test("a server that stands still for ten seconds is met by everybody who would have come")
    func stall() throws {
        // From 20 s to 30 s nothing is answered; at all other times it takes 1 ms.
        func service(_ at: Duration) -> Duration {
            at >= .seconds(20) && at < .seconds(30) ? .seconds(30) - at + .milliseconds(1) : .milliseconds(1)
        }
        let (loop, open) = try play(rate: 20, seconds: 100, limit: 1000, service: service)
        #expect(loop.sent == 2000 && loop.unsent == 0 && loop.inFlight == 0)
        // A tenth of all requests fell into the stall and waited 5 s on average.
        #expect((open.quantile(0.95) ?? 0) > 4_900_000 && (open.quantile(0.89) ?? 0) < 1100)
        #expect(open.maximum == 10_001_000)

        // A closed loop with one user sees the stall once.
        var closed = LogHistogram(), now = Duration.zero
        while now < .seconds(100) {
            let took = service(now)
            closed.record(took)
            now += max(took, .milliseconds(50))
        }
        #expect((closed.quantile(0.99) ?? 0) < 1100)
    }

    @Test("what the bound on requests in flight holds back is counted, never sent late")
    func bounded() throws {
        let (loop, latencies) = try play(rate: 10, seconds: 10, limit: 5) { _ in .seconds(2) }
        #expect(loop.sent + loop.unsent == 100 && loop.unsent > 40)
        #expect(latencies.maximum == 2_000_000)
    }

    @Test("a late tick sends all that is due, and its lateness is told")
    func late() throws {
        var loop = OpenLoop(try #require(ArrivalSchedule(rate: 10, length: .seconds(1))), limit: 100)
        #expect(loop.tick(at: .milliseconds(350)).map(\.number) == [0, 1, 2, 3])
        #expect(loop.maximumLag == .milliseconds(350) && loop.tick(at: .milliseconds(399)).isEmpty)
        #expect(loop.tick(at: .seconds(100)).map(\.due).last == .milliseconds(900))
        #expect(loop.nextDue == nil && loop.tick(at: .seconds(200)).isEmpty)
    }
}
