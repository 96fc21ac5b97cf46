extension String {
    /// At most `count` code points; where something was cut off, the last one is `…`.
    func truncated(toScalars count: Int) -> String {
        guard unicodeScalars.count > count else { return self }
        guard count > 3 else { return String(String.UnicodeScalarView(unicodeScalars.prefix(count))) }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(count - 1))) + "…"
    }
}
