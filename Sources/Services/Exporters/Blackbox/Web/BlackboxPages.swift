import HTTPServer
import NIOCore

/// What people look at: the list of recent probes, and the report of one.
enum BlackboxPages {
    /// Newest first.
    static func index(_ entries: [ProbeHistory.Entry]) -> Reply {
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>Blackbox Exporter</title></head>
            <body>
            <h1>Blackbox Exporter</h1>
            <p><a href="metrics">Metrics</a></p>
            <p><a href="config">Configuration</a></p>
            <h2>Recent Probes</h2>
            <table border="1"><tr><th>Module</th><th>Target</th><th>Result</th><th>Debug</th></tr>

            """
        for entry in entries.reversed() {
            let result = entry.succeeded ? "Success" : "<strong>Failure</strong>"
            page += "<tr><td>\(escaped(entry.module))</td><td>\(escaped(entry.target))</td><td>\(result)</td>"
            page += "<td><a href=\"logs?id=\(entry.id)\">Logs</a></td></tr>\n"
        }
        page += "</table>\n</body>\n</html>\n"
        return Reply(.ok, contentType: "text/html; charset=utf-8", body: ByteBuffer(string: page))
    }

    static func report(log: String, metrics: [UInt8], module: String) -> String {
        "Logs for the probe:\n\(log)\n\n\nMetrics that would have been returned:\n\(String(decoding: metrics, as: UTF8.self))"
            + "\n\n\nModule configuration:\n\(module)"
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&#34;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
        return result
    }
}
