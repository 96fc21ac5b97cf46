import HTTPServer
import HTTPTypes
import NIOCore
import TSDB

/// The UI's files, each turned into one buffer when the process starts; a request only shares it.
///
///     /  /graph            → /query, with the query string (links of alerts lead to /graph?g0.expr=…)
///     /query  /targets …   index.html: the page reads its path
///     /assets/app.js …     the file
///
/// Everything else stays 404 with text: clients probe paths, and a page is no answer to them.
public struct WebAssets: Sendable {
    public struct File: Sendable {
        let body: ByteBuffer
        let contentType: String
        /// Changes with the content.
        let tag: String

        public init(_ bytes: [UInt8], name: String) {
            body = ByteBuffer(bytes: bytes)
            contentType = Self.contentType(of: name)
            // A hash with a fixed seed: equal files have equal tags in every process.
            tag = "\"" + String(bytes.withUnsafeBytes { Hash64.hash($0, seed: 0x6d69_6e70_726f_6d31) }, radix: 16) + "\""
        }

        private static func contentType(of name: String) -> String {
            switch name.split(separator: ".").last {
            case "html": return "text/html; charset=utf-8"
            case "js", "mjs": return "text/javascript; charset=utf-8"
            case "css": return "text/css; charset=utf-8"
            case "svg": return "image/svg+xml"
            case "png": return "image/png"
            case "json": return "application/json"
            case "woff2": return "font/woff2"
            default: return "application/octet-stream"
            }
        }
    }

    /// By path below `/assets/`: `app.js`, `vendor/uPlot.min.css`.
    public var files: [String: File]
    /// `index.html`; without one there are no pages.
    public var page: File?
    /// Paths that show the page.
    public var pages: [String]
    /// The first of them, where `home` leads.
    public var homes: [String]

    /// `index` names the file that all pages are; the server and Alertmanager each have one.
    public init(
        files: [String: [UInt8]] = [:], index: String = "index.html",
        pages: [String] = ["/query", "/targets", "/alerts", "/rules"], homes: [String] = ["/", "/graph"]
    ) {
        var all: [String: File] = [:]
        for (name, bytes) in files { all[name] = File(bytes, name: name) }
        page = all.removeValue(forKey: index)
        self.files = all
        self.pages = pages
        self.homes = homes
    }

    /// Pages of Alertmanager, on its own port.
    public static func alertmanager(files: [String: [UInt8]]) -> WebAssets {
        WebAssets(
            files: files, index: "alertmanager/index.html", pages: ["/alerts", "/silences", "/status", "/history"],
            homes: ["/"])
    }

    func add(to routes: inout Routes, prefix: String) {
        guard let page, let home = pages.first else { return }
        for path in homes {
            routes.on([.get, .head], path) { request in
                .redirect(to: prefix + home + (request.query.isEmpty ? "" : "?" + request.query))
            }
        }
        for path in pages { routes.on([.get, .head], path) { request in .file(page, request) } }
        for (name, file) in files { routes.on([.get, .head], "/assets/" + name) { request in .file(file, request) } }
    }
}

extension Reply {
    fileprivate static func file(_ file: WebAssets.File, _ request: APIRequest) -> Reply {
        var reply = Reply(.ok, contentType: file.contentType, body: file.body)
        if request.headers[.ifNoneMatch] == file.tag {
            reply = Reply(.notModified, contentType: "", body: ByteBuffer())
        }
        reply.headers[.eTag] = file.tag
        // Asked for again each time, answered with 304: a new binary shows its new pages at once.
        reply.headers[.cacheControl] = "no-cache"
        return reply
    }
}
