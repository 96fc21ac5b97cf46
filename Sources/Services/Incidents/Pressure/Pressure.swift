/// Pressure on the machine for a while: processors kept busy, or memory held. Done by a child process, so that it ends with it.
///
///     minprom press --cores 2 --for-ms 60000        this program again, under a name that help does not list
///     minprom press --mb 500 --for-ms 60000
public struct Pressure: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case cpu(cores: Int)
        /// 0: so much that less than a tenth is available, which is when HostLowMemory fires.
        case memory(megabytes: Int)
    }

    public static let maximumCores = 1024
    public static let maximumMegabytes = 1 << 20
    /// An hour. Nobody needs longer to see a graph.
    public static let maximumLength = Duration.seconds(3600)
    /// What is left to the others, in megabytes.
    static let spared = 256

    public var kind: Kind
    public var length: Duration

    public init(_ kind: Kind, for length: Duration) {
        switch kind {
        case .cpu(let cores): self.kind = .cpu(cores: min(max(cores, 1), Self.maximumCores))
        case .memory(let megabytes): self.kind = .memory(megabytes: min(max(megabytes, 0), Self.maximumMegabytes))
        }
        self.length = min(max(length, .milliseconds(1)), Self.maximumLength)
    }

    /// The arguments of the child.
    public var arguments: [String] {
        switch kind {
        case .cpu(let cores): ["press", "--cores", "\(cores)", "--for-ms", "\(length.milliseconds)"]
        case .memory(let megabytes): ["press", "--mb", "\(megabytes)", "--for-ms", "\(length.milliseconds)"]
        }
    }

    /// Megabytes to take where `available` of `total` are free; `nil` where that would leave too little.
    static func megabytes(wanted: Int, available: Int, total: Int) -> Int? {
        let most = available - spared
        guard wanted > 0 else {
            // A twelfth stays available: under the alert's tenth, and over nothing.
            let enough = available - total / 12
            return enough > 0 && most > 0 ? min(enough, most) : nil
        }
        return wanted <= most ? wanted : nil
    }
}
