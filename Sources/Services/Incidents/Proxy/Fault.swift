import JSON
import Numbers

/// What a proxy does to the bytes between two services: nothing, or one fault, for a while or until taken back.
///
///     drop     nothing passes either way, nothing is lost: a cut cable, as TCP sees it (it resends when the cable is back)
///     delay    every byte arrives `delay_ms` later, in order
///     reset    connections break at once, new ones too (RST)
///     refuse   connections break, and nobody listens any more (“connection refused”)
///
/// As JSON: `{"mode":"delay","delay_ms":500,"for_s":60}`.
public struct Fault: Equatable, Sendable {
    public enum Mode: String, CaseIterable, Sendable { case drop, delay, reset, refuse }

    /// Longer than any client waits.
    public static let maximumDelay = Duration.seconds(600)
    /// A day. A fault that nobody takes back ends some time.
    public static let maximumLength = Duration.seconds(86_400)

    public var mode: Mode
    /// For `delay`, in each direction.
    public var delay = Duration.zero
    /// How long it stays; `nil`: until taken back.
    public var length: Duration?

    public init(_ mode: Mode, delay: Duration = .zero, for length: Duration? = nil) {
        self.mode = mode
        self.delay = delay
        self.length = length
    }

    /// Reads a fault as the control endpoint takes it; unknown members are refused, so that a typing error is not a fault forever.
    public init(json text: String) throws(IncidentError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw IncidentError(.usage, "not JSON: \(error)")
        }
        guard case .object(let members) = value else { throw IncidentError(.usage, "an object is wanted") }
        var mode: Mode?
        var delay: Duration?
        var length: Duration?
        for member in members {
            switch member.name {
            case "mode":
                mode = member.value.string.flatMap(Mode.init(rawValue:))
                guard mode != nil else { throw IncidentError(.usage, "mode: one of drop, delay, reset, refuse is wanted") }
            case "delay_ms":
                delay = try Self.span(member, unit: 1e-3, to: Self.maximumDelay)
            case "for_s":
                length = try Self.span(member, unit: 1, to: Self.maximumLength)
            default: throw IncidentError(.usage, "unknown member \(QuotedText.go(String(member.name.prefix(100))))")
            }
        }
        guard let mode else { throw IncidentError(.usage, "mode is missing") }
        guard (mode == .delay) == (delay != nil) else {
            throw IncidentError(.usage, mode == .delay ? "delay_ms is missing" : "delay_ms belongs to mode delay")
        }
        self.init(mode, delay: delay ?? .zero, for: length)
    }

    private static func span(_ member: JSONValue.Member, unit: Double, to limit: Duration) throws(IncidentError) -> Duration {
        guard let number = member.value.number, number > 0, number * unit <= limit.seconds else {
            throw IncidentError(.usage, "\(member.name): a number above 0 and up to \(LoadReport.fixed(limit.seconds / unit, 0)) is wanted")
        }
        return .nanoseconds(Int64((number * unit * 1e9).rounded()))
    }
}

/// The fault of a proxy over time: set, taken back, or over by itself.
///
/// Invariant: after `until` there is no fault, whether or not anybody asked in between.
public struct FaultSwitch: Equatable, Sendable {
    private var fault: Fault?
    /// When it ends; on the clock of the caller.
    private var until: Duration?

    public init() {}

    public mutating func set(_ new: Fault, at now: Duration) {
        fault = new
        until = new.length.map { now + $0 }
    }

    public mutating func clear() {
        fault = nil
        until = nil
    }

    public func current(at now: Duration) -> Fault? {
        if let until, now >= until { return nil }
        return fault
    }

    /// How long the fault still stays; `nil` where there is none, or no end.
    public func remaining(at now: Duration) -> Duration? {
        guard current(at: now) != nil, let until else { return nil }
        return until - now
    }

    /// As JSON: the fault with what is left of it, or `{"mode":null}`.
    public func json(at now: Duration) -> String {
        guard let fault = current(at: now) else { return "{\"mode\":null}" }
        var text = "{\"mode\":\"\(fault.mode.rawValue)\""
        if fault.mode == .delay { text += ",\"delay_ms\":\(LoadReport.fixed(fault.delay.seconds * 1e3, 0))" }
        if let rest = remaining(at: now) { text += ",\"for_s\":\(LoadReport.fixed(rest.seconds, 1))" }
        return text + "}"
    }
}
