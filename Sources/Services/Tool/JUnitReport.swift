/// What became of tests, as JUnit writes it in XML: build servers read it.
///
///     <testsuites><testsuite name="t.yml" tests="1" failures="0" …><testcase name="first"></testcase></testsuite></testsuites>
public struct JUnitReport: Sendable {
    public struct Suite: Sendable {
        public struct Case: Sendable {
            public var name: String
            public var failures: [String] = []
            public var error: String?
        }

        public var name: String
        public var cases: [Case] = []
        public var errorCount = 0
        /// Empty where the file could not be read.
        public var time = ""

        mutating func abort(_ error: String) {
            errorCount += 1
            cases.append(Case(name: "unknown", error: error))
        }
    }

    public var suites: [Suite] = []

    public var xml: String {
        var text = "<testsuites>"
        for suite in suites {
            let failures = suite.cases.reduce(0) { $0 + $1.failures.count }
            text +=
                "<testsuite name=\"\(Self.escaped(suite.name))\" tests=\"\(suite.cases.count)\" failures=\"\(failures)\""
            text += " errors=\"\(suite.errorCount)\" skipped=\"0\" timestamp=\"\(Self.escaped(suite.time))\">"
            for test in suite.cases {
                text += "<testcase name=\"\(Self.escaped(test.name))\">"
                for failure in test.failures { text += "<failure>\(Self.escaped(failure))</failure>" }
                if let error = test.error { text += "<error>\(Self.escaped(error))</error>" }
                text += "</testcase>"
            }
            text += "</testsuite>"
        }
        return text + "</testsuites>"
    }

    /// As Go's `encoding/xml` does it.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "&#34;"
            case "'": result += "&#39;"
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\t": result += "&#x9;"
            case "\n": result += "&#xA;"
            case "\r": result += "&#xD;"
            default:
                let isAllowed = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                result.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
            }
        }
        return result
    }
}
