import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Double {
    /// As OpenMetrics writes labels that are numbers: an integer keeps one decimal, `1.0`.
    var openMetricsText: String {
        let text = NumberText.string(self, style: .general)
        return isFinite && !text.contains(where: { $0 == "." || $0 == "e" }) ? text + ".0" : text
    }

    /// As `%f` prints.
    var withSixDecimals: String {
        var buffer = [CChar](repeating: 0, count: 400)
        let length = withVaList([self]) { vsnprintf(&buffer, buffer.count, "%f", $0) }
        return String(decoding: buffer.prefix(Int(max(0, length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
