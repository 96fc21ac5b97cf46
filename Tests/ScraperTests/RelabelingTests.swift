import Digest
import RegularExpression
import TSDB
import Testing

@testable import Scraper

@Suite("Relabeling")
struct RelabelingTests {
    private func rule(_ regex: String = "(.*)", _ edit: (inout RelabelConfig) -> Void) throws -> RelabelConfig {
        var rule = try RelabelConfig(regex: regex)
        edit(&rule)
        return rule
    }

    private let base: Labels = ["a": "foo", "b": "bar", "c": "baz"]

    @Test("replace sets, interpolates, removes, and leaves alone what does not match")
    func replace() throws {
        let joined = try rule("f(.*);(.*)r") {
            $0.sourceLabels = ["a", "b"]; $0.targetLabel = "d"; $0.replacement = "ch${1}-ch${1}-$2"
        }
        #expect(Relabeling.apply([joined], to: base) == ["a": "foo", "b": "bar", "c": "baz", "d": "choo-choo-ba"])
        let missing = try rule("no(.*)") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "d"
        }
        #expect(Relabeling.apply([missing], to: base) == base)
        let removed = try rule("f.*") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "b"; $0.replacement = ""
        }
        #expect(Relabeling.apply([removed], to: base) == ["a": "foo", "c": "baz"])
        let anchored = try rule("o") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "d"; $0.replacement = "x"
        }
        #expect(Relabeling.apply([anchored], to: base) == base)
        let constant = try rule {
            $0.targetLabel = "env"; $0.replacement = "prod"
        }
        #expect(Relabeling.apply([constant], to: base)?["env"] == "prod")
        let named = try rule("(f)(.*)") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "${1}_$2"; $0.replacement = "x"
        }
        #expect(Relabeling.apply([named], to: base)?["f_oo"] == "x")
        let noTarget = try rule("(x)?.*") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "${1}"; $0.replacement = "x"
        }
        #expect(Relabeling.apply([noTarget], to: base) == base)
        let newlines = try rule("(.*)b") {
            $0.sourceLabels = ["n"]; $0.targetLabel = "m"
        }
        #expect(Relabeling.apply([newlines], to: ["n": "a\nb"])?["m"] == "a\n")
    }

    @Test("keep and drop decide over the whole set, absent labels count as empty")
    func keepAndDrop() throws {
        let keep = try rule("f.*") {
            $0.sourceLabels = ["a"]; $0.action = .keep
        }
        let drop = try rule("f.*") {
            $0.sourceLabels = ["a"]; $0.action = .drop
        }
        let dropAbsent = try rule("") {
            $0.sourceLabels = ["zz"]; $0.action = .drop
        }
        #expect(Relabeling.apply([keep], to: base) == base)
        #expect(Relabeling.apply([keep], to: ["a": "x"]) == nil)
        #expect(Relabeling.apply([drop], to: base) == nil)
        #expect(Relabeling.apply([drop], to: ["a": "x"]) == ["a": "x"])
        #expect(Relabeling.apply([dropAbsent], to: base) == nil)
    }

    @Test("keepequal and dropequal compare with the target label")
    func equal() throws {
        let keep = try rule {
            $0.sourceLabels = ["x"]; $0.targetLabel = "y"; $0.action = .keepequal
        }
        let drop = try rule {
            $0.sourceLabels = ["x"]; $0.targetLabel = "y"; $0.action = .dropequal
        }
        let same: Labels = ["x": "1", "y": "1"], other: Labels = ["x": "1", "y": "2"]
        #expect(Relabeling.apply([keep], to: same) == same)
        #expect(Relabeling.apply([keep], to: other) == nil)
        #expect(Relabeling.apply([drop], to: same) == nil)
        #expect(Relabeling.apply([drop], to: other) == other)
    }

    @Test("labelmap, labeldrop, labelkeep work on names")
    func names() throws {
        let map = try rule("__meta_(.+)") { $0.action = .labelmap }
        #expect(Relabeling.apply([map], to: ["__meta_x": "1", "a": "2"]) == ["__meta_x": "1", "a": "2", "x": "1"])
        let prefix = try rule("(b.*)") {
            $0.action = .labelmap; $0.replacement = "bar_${1}"
        }
        #expect(Relabeling.apply([prefix], to: ["a": "f", "b1": "x", "b2": "y"]) == ["a": "f", "b1": "x", "b2": "y", "bar_b1": "x", "bar_b2": "y"])
        let drop = try rule("b.*") { $0.action = .labeldrop }
        #expect(Relabeling.apply([drop], to: base) == ["a": "foo", "c": "baz"])
        let keep = try rule("b.*") { $0.action = .labelkeep }
        #expect(Relabeling.apply([keep], to: base) == ["b": "bar"])
    }

    @Test("lowercase and uppercase map scalar by scalar")
    func cases() throws {
        let lower = try rule {
            $0.sourceLabels = ["a"]; $0.targetLabel = "d"; $0.action = .lowercase
        }
        let upper = try rule {
            $0.sourceLabels = ["a"]; $0.targetLabel = "d"; $0.action = .uppercase
        }
        #expect(Relabeling.apply([lower], to: ["a": "ÄbC"])?["d"] == "äbc")
        #expect(Relabeling.apply([upper], to: ["a": "äbß"])?["d"] == "ÄBß")
    }

    @Test(
        "hashmod takes the low 64 bits of MD5, as upstream's own table says",
        arguments: [
            ("baz", "d", 1000, "976"), ("foo\nbar", "b", 1000, "734"),
        ])
    func hashmod(value: String, target: String, modulus: UInt64, expected: String) throws {
        let hash = try rule {
            $0.sourceLabels = ["c"]; $0.targetLabel = target; $0.modulus = modulus; $0.action = .hashmod
        }
        #expect(Relabeling.apply([hash], to: ["c": value])?[target] == expected)
    }

    @Test(
        "MD5 of the RFC's test suite",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"),
        ])
    func md5(text: String, hex: String) {
        let digest = MD5.digest(text.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(digest == hex)
    }

    @Test("rules apply in order, and later ones see what earlier ones did")
    func order() throws {
        let first = try rule("foo") {
            $0.sourceLabels = ["a"]; $0.targetLabel = "b"; $0.replacement = "boo"
        }
        let second = try rule("boo") {
            $0.sourceLabels = ["b"]; $0.action = .drop
        }
        #expect(Relabeling.apply([first, second], to: base) == nil)
        #expect(Relabeling.apply([second, first], to: base) == ["a": "foo", "b": "boo", "c": "baz"])
    }

    @Test("rules that make no sense are refused in upstream's words")
    func validation() throws {
        func message(_ edit: (inout RelabelConfig) -> Void, regex: String = "(.*)", names: NameValidation = .utf8) throws -> String? {
            do { try rule(regex, edit).validate(names: names) } catch let error as RelabelError { return error.message }
            return nil
        }
        #expect(try message { _ in } == "relabel configuration for replace action requires 'target_label' value")
        #expect(
            try message {
                $0.action = .hashmod; $0.targetLabel = "x"
            } == "relabel configuration for hashmod requires non-zero modulus")
        #expect(
            try message {
                $0.action = .lowercase; $0.targetLabel = "x"; $0.replacement = "y"
            } == "'replacement' can not be set for lowercase action")
        #expect(
            try message {
                $0.action = .labeldrop; $0.targetLabel = "x"
            } == "labeldrop action requires only 'regex', and no other fields")
        #expect(
            try message {
                $0.action = .keepequal; $0.targetLabel = "x"; $0.separator = "-"
            } == "keepequal action requires only 'source_labels' and `target_label`, and no other fields")
        #expect(try message({ $0.targetLabel = "a-b" }, names: .legacy) == "\"a-b\" is invalid 'target_label' for replace action")
        #expect(try message({ $0.targetLabel = "${1}_x" }, names: .legacy) == nil)
        #expect(try message { $0.targetLabel = "a-b" } == nil)
        #expect(try message { $0.action = .keep } == nil)
    }
}
