import Testing

@testable import Worker

@Suite("Pauses after failures")
struct BackoffTests {
    @Test("twice as long each time, up to the bound, from the start again after a success")
    func doubles() {
        var backoff = Backoff(first: .milliseconds(100), longest: .seconds(2))
        let pauses = (0..<7).map { _ in backoff.failed(chance: 0.5) }
        #expect(pauses == [100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
        backoff.succeeded()
        #expect(backoff.failed(chance: 0.5) == .milliseconds(100))
    }

    @Test("chance moves a pause by a quarter at most")
    func chance() {
        var least = Backoff(first: .seconds(1), longest: .seconds(1)), most = least
        #expect(least.failed(chance: 0) == .milliseconds(750))
        #expect(most.failed(chance: 1) == .milliseconds(1250))
    }

    @Test("a thousand failures overflow nothing")
    func many() {
        var backoff = Backoff()
        for _ in 0..<1000 { #expect(backoff.failed(chance: 1) <= .milliseconds(2500)) }
    }
}
