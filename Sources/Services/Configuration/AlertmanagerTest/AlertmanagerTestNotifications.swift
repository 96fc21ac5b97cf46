import Alerter
import Numbers
import TSDB
import TextTemplate

/// Notifications that were sent against those that were expected: each expectation takes the one it fits best, and both what
/// is left of the expectations and what is left of the notifications is a problem.
extension AlertmanagerTestRun {
    mutating func compare(_ expected: [AlertmanagerTest.Telling]) {
        var left = told.filter { $0.at <= test.duration }
        for telling in expected {
            let index =
                left.firstIndex { $0.at == telling.at && matches(telling, $0) }
                ?? left.firstIndex { isNear(telling, $0) }
            guard let index else {
                note(telling.position, "\(telling.receiver) is not told at \(text(telling.at))" + others(telling, left))
                continue
            }
            let told = left.remove(at: index)
            compare(telling, told)
        }
        for told in left {
            note(test.position, "unexpected at \(text(told.at)): \(describe(told))")
        }
    }

    /// Whether it is meant, whatever the rest says.
    private func isNear(_ telling: AlertmanagerTest.Telling, _ told: Told) -> Bool {
        told.at == telling.at && told.notification.receiver == telling.receiver
            && (telling.groupLabels.map { $0 == told.notification.groupLabels } ?? true)
    }

    private func matches(_ telling: AlertmanagerTest.Telling, _ told: Told) -> Bool {
        var probe = AlertmanagerTestRun(test, of: file, templates: templates)
        probe.compare(telling, told)
        return isNear(telling, told) && probe.problems.isEmpty
    }

    private mutating func compare(_ telling: AlertmanagerTest.Telling, _ told: Told) {
        let place = telling.position, what = "at \(text(telling.at)) to \(telling.receiver)",
            notification = told.notification
        compare(place, "\(what): integrations", telling.integrations, told.integrations)
        compare(place, "\(what): reason", telling.reason, notification.reason.rawValue)
        compare(place, "\(what): group", telling.groupLabels, notification.groupLabels)
        compare(place, "\(what): group key", telling.groupKey, notification.groupKey)
        compare(
            telling.firing, notification.alerts.filter { !$0.isResolved(at: notification.now) }, "\(what): firing",
            place)
        compare(
            telling.resolved, notification.alerts.filter { $0.isResolved(at: notification.now) }, "\(what): resolved",
            place)
        let filling = templates.filling(notification, externalURL: file.externalURL)
        for (template, wanted) in telling.texts {
            do throws(TemplateError) {
                let text = try filling.text(template)
                if text != wanted {
                    note(place, "\(what): \(template) is \(QuotedText.go(text)), expected \(QuotedText.go(wanted))")
                }
            } catch { note(place, "\(what): \(template): \(error.message)") }
        }
    }

    /// One expectation per alert, in any order.
    private mutating func compare(_ expected: [Labels]?, _ alerts: [Alert], _ what: String, _ place: YAMLPosition) {
        guard let expected else { return }
        var left = alerts.map(\.labels)
        // The most particular expectations choose first.
        for wanted in expected.sorted(by: { $0.count > $1.count }) {
            guard let index = left.firstIndex(where: { $0.contains(wanted) }) else {
                note(place, "\(what): there is no \(wanted) among \(alerts.map(\.labels))")
                return
            }
            left.remove(at: index)
        }
        if !left.isEmpty { note(place, "\(what): unexpected \(left)") }
    }

    private func others(_ telling: AlertmanagerTest.Telling, _ left: [Told]) -> String {
        let times = left.filter { $0.notification.receiver == telling.receiver }.map { text($0.at) }
        return times.isEmpty ? "" : ", but at \(times.joined(separator: ", "))"
    }

    private func describe(_ told: Told) -> String {
        let names = told.notification.alerts.map {
            ($0.isResolved(at: told.notification.now) ? "resolved " : "") + $0.labels.description
        }
        return
            "\(told.notification.receiver) (\(told.integrations.joined(separator: ", "))) is told \(told.notification.reason.rawValue): "
            + names.joined(separator: ", ")
    }

    private func text(_ span: TSDB.Duration) -> String { Numbers.DurationText.string(milliseconds: span.milliseconds) }
}

extension Labels {
    /// Whether all of `others` are among these.
    func contains(_ others: Labels) -> Bool { others.pairs.allSatisfy { self[$0.name] == $0.value } }
}
