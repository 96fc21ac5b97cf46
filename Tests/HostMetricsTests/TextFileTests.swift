import SelfMetrics
import Testing

@testable import HostMetrics

@Suite("Text files")
struct TextFileTests {
    private func collect(_ files: [String: String], _ directories: [String] = ["texts"]) -> [String] {
        let tree = SystemTree(Dictionary(uniqueKeysWithValues: files.map { ("texts/" + $0.key, $0.value) }))
        let found = tree.collect("textfile") { $0.textfileDirectories = directories.map { tree.root + "/" + $0 } } ?? []
        return found.filter { !$0.hasPrefix("node_textfile_mtime") }
    }

    @Test("families are shown with labels in order; bounds as this format writes numbers")
    func shown() {
        let found = collect([
            "a.prom": "# HELP b_seconds When.\n# TYPE b_seconds gauge\nb_seconds{z=\"1\",a=\"x\\\"y\"} 12.5\n",
            "h.prom": "# TYPE t histogram\nt_bucket{le=\"1\"} 2\nt_bucket{le=\"+Inf\"} 3\nt_sum 4\nt_count 3\n", "not-this.txt": "x 1\n",
        ])
        #expect(
            found == [
                "b_seconds{a=\"x\\\"y\",z=\"1\"} 12.5", "t_bucket{le=\"1\"} 2", "t_bucket{le=\"+Inf\"} 3", "t_sum 4", "t_count 3",
                "node_textfile_scrape_error 0",
            ])
    }

    @Test(
        "a file that is wrong is left out as a whole; the others stay",
        arguments: [
            "x 1\nx{ 2\n", "x 1 1700000000000\n", "x notanumber\n", "{\"quoted.name\"} 1\n", "x{le=\"1\",le=\"2\"} 1\n", "\u{0}", "x 1\n\u{0}y 1\n",
            "x 1\n# TYPE x\n",
        ])
    func broken(text: String) {
        #expect(collect(["bad.prom": text, "good.prom": "y 2\n"]) == ["y 2", "node_textfile_scrape_error 1"])
    }

    @Test("two files may share a family; a series stands once, and texts that differ are an error")
    func shared() {
        #expect(
            collect(["a.prom": "x{f=\"a\"} 1\n", "b.prom": "x{f=\"b\"} 2\n"]) == ["x{f=\"a\"} 1", "x{f=\"b\"} 2", "node_textfile_scrape_error 0"])
        #expect(collect(["a.prom": "x 1\n", "b.prom": "x 2\n"]) == ["x 1", "node_textfile_scrape_error 1"])
        #expect(collect(["a.prom": "# HELP x one\nx{f=\"a\"} 1\n", "b.prom": "# HELP x two\nx{f=\"b\"} 2\n"]).last == "node_textfile_scrape_error 1")
    }

    @Test("a family of the exporter's own cannot be had twice")
    func taken() {
        let tree = SystemTree(["texts/a.prom": "node_load1 99\nnode_exporter_build_info 1\nz 1\n", "proc/loadavg": "0.5 1 2 3/4 5\n"])
        var options = tree.options
        options.collectors = ["loadavg", "textfile"]
        options.textfileDirectories = [tree.root + "/texts"]
        let found = lines(HostMetrics(options).exposition())
        #expect(found.filter { $0.hasPrefix("node_load1 ") } == ["node_load1 0.5"])
        #expect(found.contains("z 1") && found.contains("node_textfile_scrape_error 1"))
    }

    @Test("directories may be patterns; one that is missing is an error, none is not")
    func directories() {
        let tree = SystemTree(["t1/a.prom": "a 1\n", "t2/b.prom": "b 2\n"])
        let both = tree.collect("textfile") { $0.textfileDirectories = [tree.root + "/t*"] } ?? []
        #expect(both.contains("a 1") && both.contains("b 2") && both.last == "node_textfile_scrape_error 0")
        #expect(both.contains { $0.hasPrefix("node_textfile_mtime_seconds{file=\"\(tree.root)/t1/a.prom\"} 1.") })
        #expect(tree.collect("textfile") { $0.textfileDirectories = [tree.root + "/nothere"] } == ["node_textfile_scrape_error 1"])
        #expect(tree.collect("textfile") == ["node_textfile_scrape_error 0"])
    }

    @Test("too large a file, or too many samples, are refused")
    func bounds() {
        var families = TextFileFamilies(taken: [], maximumSamples: 100)
        let many = (0...100).map { "x{n=\"\($0)\"} 1\n" }.joined()
        let tooMany = families.add(Array(many.utf8), path: "many.prom"), few = families.add(Array("x 1\n".utf8), path: "few.prom")
        #expect(!tooMany && few)
        let large = String(repeating: "# a comment\n", count: TextFileFamilies.maximumBytes / 12 + 2)
        #expect(collect(["large.prom": large]) == ["node_textfile_scrape_error 1"])
    }
}
