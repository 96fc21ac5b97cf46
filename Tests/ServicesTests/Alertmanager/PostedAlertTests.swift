import Alerter
import NIOCore
import Support
import TSDB
import Testing

@testable import WebAPI

@Suite("Bodies of Alertmanager's API")
struct PostedAlertTests {
    private func alerts(_ text: String) -> Result<[AlertReport], V2Failure> {
        do throws(V2Failure) { return .success(try PostedAlertReader(ByteBuffer(string: text)).reports) } catch { return .failure(error) }
    }

    private func silence(_ text: String) -> Result<SilenceDraft, V2Failure> {
        do throws(V2Failure) { return .success(try PostedSilenceReader.read(ByteBuffer(string: text))) } catch { return .failure(error) }
    }

    private func sentence(_ result: Result<some Any, V2Failure>) -> String {
        guard case .failure(let failure) = result else { return "taken" }
        switch failure {
        case .sentence(let text, let status): return "\(status.code) \(text)"
        case .refused(let code, let text, let status):
            return "\(status.code) \(code) \(text.contains("failed, because") ? "unreadable" : text)"
        case .status(let status): return "\(status.code)"
        }
    }

    @Test("an alert is read with its times; the year 1 means not given")
    func reads() throws {
        let reports = try alerts(
            """
            [{"labels":{"alertname":"Down","empty":""},"annotations":{"summary":""},"startsAt":"2026-11-22T18:00:00.5Z",
              "endsAt":"0001-01-01T00:00:00.000Z","generatorURL":"http://x/graph?a=b","unknown":[{}]}, {"labels":{}}]
            """
        ).get()
        #expect(reports.count == 2)
        #expect(reports[0].labels["alertname"] == "Down")
        #expect(reports[0].labels["empty"] == "")
        #expect(reports[0].annotations["summary"] == "")
        #expect(reports[0].startsAt == Timestamp(milliseconds: 1_795_370_400_500))
        #expect(reports[0].endsAt == nil)
        #expect(reports[0].generatorURL == "http://x/graph?a=b")
    }

    @Test(
        "what is no list of alerts is refused as Alertmanager refuses it",
        arguments: [
            ("[]", "taken"), ("null", "taken"), ("", "422 602 alerts in body is required"), ("{", "400 400 unreadable"),
            ("{}", "400 400 unreadable"), ("[1]", "400 400 unreadable"), ("[null]", "422 602 0 in body is required"),
            ("[{}]", "422 602 0.labels in body is required"), (#"[{"labels":null}]"#, "422 602 0.labels in body is required"),
            (#"[{"labels":{"a":1}}]"#, "400 400 unreadable"), (#"[{"labels":{"a":"b"},"startsAt":"bad"}]"#, "400 400 unreadable"),
            (#"[{"labels":{"a":"b"},"generatorURL":"::bad"}]"#, "422 601 0.generatorURL in body must be of type uri: \"::bad\""),
            (#"[{"labels":{"a":"b"}},{}] x"#, "400 400 unreadable"), (#"[{}, {]"#, "400 400 unreadable"),
        ])
    func refusals(_ body: String, _ expected: String) { #expect(sentence(alerts(body)) == expected) }

    private static let whole =
        #"{"matchers":[{"name":"a","value":"b","isRegex":false,"isEqual":false}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"me","comment":"c","annotations":{"k":"v"}}"#

    @Test("a silence is read; isEqual is true where it is left out")
    func readsSilence() throws {
        let draft = try silence(Self.whole).get()
        #expect(draft.matcherSets == [[SilenceMatcher(.notEqual, name: "a", value: "b")]])
        #expect(draft.createdBy == "me" && draft.comment == "c" && draft.annotations["k"] == "v")
        let plain = try silence(Self.whole.replacing(#","isEqual":false"#, with: "")).get()
        #expect(plain.matcherSets == [[SilenceMatcher(.equal, name: "a", value: "b")]])
    }

    @Test(
        "what is missing in a silence is named",
        arguments: [
            ("{}", "422 602 comment in body is required"), ("", "422 602 silence in body is required"),
            ("[null]", "400 400 unreadable"),
            (
                #"{"matchers":[null],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"a","comment":""}"#,
                "422 602 matchers.0 in body is required"
            ),
            (
                #"{"matchers":[],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"a","comment":""}"#,
                "422 612 matchers in body should have at least 1 items"
            ),
            (
                #"{"matchers":[{"name":"a","value":"b"}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2036-01-01T00:00:00Z","createdBy":"a","comment":""}"#,
                "422 602 matchers.0.isRegex in body is required"
            ),
        ])
    func silenceRefusals(_ body: String, _ expected: String) { #expect(sentence(silence(body)) == expected) }

    @Test("a body damaged anywhere is an answer and never a crash")
    func damaged() {
        let alerts = #"[{"labels":{"alertname":"Down","é":"ü"},"annotations":{"summary":"a\n\u0041"},"startsAt":"2026-11-22T18:00:00Z"},null]"#
        let seed = TestSeed.seeds(1)[0]
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        for text in [alerts, Self.whole] {
            let bytes = Array(text.utf8)
            for cut in 0...bytes.count {
                let part = ByteBuffer(bytes: bytes[..<cut])
                _ = try? PostedAlertReader(part)
                _ = try? PostedSilenceReader.read(part)
            }
            for _ in 0..<2_000 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = try? PostedAlertReader(ByteBuffer(bytes: changed))
                _ = try? PostedSilenceReader.read(ByteBuffer(bytes: changed))
            }
        }
    }
}
