import TSDB
import Testing

@testable import Alerter

@Suite("Alerts")
struct AlertTests {
    @Test("fingerprints are Alertmanager's")
    func fingerprint() {
        let labels: Labels = ["severity": "warning", "alertname": "X"]
        #expect(Fingerprint(labels).description == "2cdd4f0d0379464b")
        #expect(Fingerprint("2cdd4f0d0379464b") == Fingerprint(labels))
        #expect(Fingerprint(Labels()).description == "cbf29ce484222325")
        #expect(Fingerprint("2cdd") == nil)
        #expect(Fingerprint("not hexadecimal!") == nil)
    }

    @Test("an alert is over from its end on, and never without one")
    func resolved() {
        var alert = Alert(labels: ["alertname": "X"], startsAt: Timestamp(milliseconds: 0))
        #expect(!alert.isResolved(at: Timestamp(milliseconds: 1 << 50)))
        alert.endsAt = Timestamp(milliseconds: 1_000)
        #expect(!alert.isResolved(at: Timestamp(milliseconds: 999)))
        #expect(alert.isResolved(at: Timestamp(milliseconds: 1_000)))
    }

    @Test("annotations are sorted by name, may be empty, and the last of equal names wins")
    func annotations() {
        var annotations: Annotations = ["summary": "", "description": "a", "summary": "b"]
        #expect(annotations.pairs.map(\.name) == ["description", "summary"])
        #expect(annotations["summary"] == "b")
        annotations["runbook"] = ""
        #expect(annotations["runbook"] == "")
        annotations["description"] = nil
        #expect(annotations.pairs.map(\.name) == ["runbook", "summary"])
    }
}
