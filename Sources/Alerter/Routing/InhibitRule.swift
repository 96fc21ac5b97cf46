import TSDB

/// While a source alert fires, targets with the same values of the labels `equal` are not notified about.
public struct InhibitRule: Sendable, Equatable {
    public var name: String
    public var sourceMatchers: [Matcher]
    public var targetMatchers: [Matcher]
    /// Label names. A missing label equals an empty one.
    public var equal: [String]

    public init(name: String = "", sourceMatchers: [Matcher] = [], targetMatchers: [Matcher] = [], equal: [String] = []) {
        self.name = name
        self.sourceMatchers = sourceMatchers
        self.targetMatchers = targetMatchers
        self.equal = equal
    }
}
