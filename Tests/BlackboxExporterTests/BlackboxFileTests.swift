import ConfigurationFile
import Testing

@testable import BlackboxExporter

@Suite("blackbox.yml")
struct BlackboxFileTests {
    private func problem(_ text: String) -> String {
        do throws(ConfigError) {
            _ = try BlackboxConfiguration(Array(text.utf8), path: "blackbox.yml")
            return ""
        } catch { return error.description }
    }

    @Test("every field is read, and shown again with its secrets hidden")
    func all() throws {
        let text = """
            modules:
              web:
                prober: http
                timeout: 5s
                http:
                  valid_status_codes: [200, 418]
                  valid_http_versions: ["HTTP/1.1"]
                  preferred_ip_protocol: ip4
                  ip_protocol_fallback: false
                  method: POST
                  headers: { host: a.example, X-Y: z }
                  body: "{}"
                  compression: gzip
                  body_size_limit: 1MB
                  fail_if_ssl: false
                  fail_if_not_ssl: true
                  fail_if_body_matches_regexp: ["bad"]
                  fail_if_body_not_matches_regexp: ["good"]
                  fail_if_header_matches: [{ header: set-cookie, regexp: ".*", allow_missing: true }]
                  fail_if_header_not_matches: [{ header: Server, regexp: "x" }]
                  basic_auth: { username: u, password: very-secret }
                  follow_redirects: false
                  tls_config: { insecure_skip_verify: true }
              smtp:
                prober: tcp
                tcp:
                  query_response:
                  - expect: "^220 ([^ ]+)"
                    labels: [{ name: host, value: "$1" }]
                  - send: "EHLO x"
                    starttls: true
                  - expect_bytes: ok
              name:
                prober: dns
                dns:
                  query_name: example.com
                  query_type: SOA
                  transport_protocol: tcp
                  valid_rcodes: [NOERROR, NXDOMAIN]
                  validate_answer_rrs: { fail_if_not_matches_regexp: ["SOA"] }
              ping: { prober: icmp, icmp: { ttl: 5, payload_size: 100, dont_fragment: true } }
            """
        let configuration = try BlackboxConfiguration(Array(text.utf8), path: "/etc/blackbox.yml")
        #expect(configuration.modules.count == 4)
        guard case .http(let web)? = configuration.modules["web"]?.kind, case .tcp(let smtp)? = configuration.modules["smtp"]?.kind,
            case .dns(let name)? = configuration.modules["name"]?.kind, case .icmp(let ping)? = configuration.modules["ping"]?.kind
        else {
            Issue.record("a module is of another kind")
            return
        }
        #expect(web.validStatusCodes == [200, 418] && web.ip == IPPreference(prefersVersion6: false, fallsBack: false))
        #expect(web.headers.map(\.name) == ["X-Y", "Host"] && web.bodySizeLimit == 1 << 20 && !web.client.followsRedirects)
        #expect(web.client.tls.skipsVerification && web.failsIfHeaderMatches.first?.header == "Set-Cookie")
        #expect(smtp.conversation.count == 3 && smtp.conversation[1].startsTLS && smtp.conversation[2].expectBytes == [111, 107])
        #expect(name.queryType == 6 && name.usesTCP && name.validCodes == [0, 3])
        #expect(ping.hopLimit == 5 && ping.payloadSize == 100 && ping.forbidsFragments)
        #expect(configuration.modules["web"]?.timeout == 5)
        #expect(configuration.text.contains("password: <secret>") || configuration.text.contains("password: '<secret>'"))
        #expect(!configuration.text.contains("very-secret"))
        #expect(throws: Never.self) { try BlackboxConfiguration(Array(configuration.text.utf8), path: "again.yml") }
    }

    @Test(
        "what nobody knows, or only the original, stops the load with its file and line",
        arguments: [
            ("modules:\n  a: { prober: http }\nother: 1", "blackbox.yml:3: field other not found in configuration"),
            ("modules:\n  a:\n    prober: http\n    htp: {}", "blackbox.yml:4: field htp not found in module a"),
            ("modules:\n  a:\n    prober: http\n    http:\n      metod: GET", "blackbox.yml:5: field metod not found in http"),
            ("modules:\n  a: { prober: carrier-pigeon }", "blackbox.yml:2: prober 'carrier-pigeon' is not valid"),
            ("modules:\n  a: { prober: grpc }", "blackbox.yml:2: prober 'grpc' is not supported yet"),
            (
                "modules:\n  a:\n    prober: http\n    http:\n      fail_if_body_json_matches_cel: x",
                "blackbox.yml:5: field fail_if_body_json_matches_cel of http is not supported yet"
            ),
            (
                "modules:\n  a:\n    prober: http\n    http:\n      oauth2: { client_id: x }",
                "blackbox.yml:5: field oauth2 of http is not supported yet"
            ),
            (
                "modules:\n  a:\n    prober: http\n    http:\n      enable_http3: true",
                "blackbox.yml:5: field enable_http3 of http is not supported yet"
            ),
            (
                "modules:\n  a: { prober: http, http: { fail_if_body_matches_regexp: [':['] } }",
                "blackbox.yml:2: \"Could not compile regular expression\" regexp=\":[\""
            ),
            ("modules:\n  a: { prober: dns, dns: { query_type: A } }", "blackbox.yml:2: query name must be set for DNS module"),
            ("modules:\n  a: { prober: dns, dns: { query_name: x, query_type: Z } }", "blackbox.yml:2: query type 'Z' is not valid"),
            ("modules:\n  a: { prober: dns, dns: { query_name: x, query_class: Z } }", "blackbox.yml:2: query class 'Z' is not valid"),
            ("modules:\n  a: { prober: icmp, icmp: { ttl: 256 } }", "blackbox.yml:2: \"ttl\" cannot exceed 255"),
            ("modules:\n  a: { prober: icmp, icmp: { ttl: -1 } }", "blackbox.yml:2: \"ttl\" cannot be negative"),
            ("modules:\n  a: { prober: http, http: { body: a, body_file: b } }", "blackbox.yml:2: setting body and body_file both are not allowed"),
            (
                "modules:\n  a: { prober: tcp, tcp: { query_response: [{ expect: a, expect_bytes: b }] } }",
                "blackbox.yml:2: expect and expect_bytes are mutually exclusive"
            ),
            (
                "modules:\n  a: { prober: http, http: { compression: gzip, headers: { Accept-Encoding: 'gzip;q=0' } } }",
                "blackbox.yml:2: invalid configuration \"Accept-Encoding: gzip;q=0\", \"compression: gzip\""
            ),
        ])
    func strict(_ text: String, _ expected: String) { #expect(problem(text) == expected) }
}
