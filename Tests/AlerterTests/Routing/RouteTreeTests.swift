import TSDB
import Testing

@testable import Alerter

@Suite("The routing tree")
struct RouteTreeTests {
    private func route(_ receiver: String, _ matchers: String = "", continues: Bool = false, _ routes: [Route] = []) throws -> Route {
        var route = Route(receiver: receiver)
        route.matchers = try MatcherText.matchers(matchers).matchers
        route.continues = continues
        route.routes = routes
        return route
    }

    private func tree() throws -> RouteTree {
        RouteTree(
            try route(
                "ops", "",
                [
                    route("pager", "severity=page", [route("db-pager", "team=db"), route("web-pager", "team=web", continues: true)]),
                    route("audit", "audited=yes", continues: true),
                    route("db", "team=db"),
                    route("never", "team=db"),
                ]))
    }

    @Test("the deepest node that matches is taken, and the first match ends the search unless it continues")
    func walk() throws {
        let tree = try tree()
        func receivers(_ labels: Labels) -> [String] { tree.matches(labels).map(\.route.receiver) }
        #expect(receivers(["x": "y"]) == ["ops"])
        #expect(receivers(["severity": "page"]) == ["pager"])
        #expect(receivers(["severity": "page", "team": "db"]) == ["db-pager"])
        #expect(receivers(["severity": "page", "team": "web"]) == ["web-pager"])
        #expect(receivers(["team": "db"]) == ["db"])
        #expect(receivers(["team": "db", "audited": "yes"]) == ["audit", "db"])
        #expect(receivers(["audited": "yes"]) == ["audit"])
    }

    @Test("a node's key is the matchers on the way to it, sorted")
    func keys() throws {
        let tree = RouteTree(try route("a", "", [route("b", "z=1,a=2", [route("c", #"m=~"x|y""#)])]))
        #expect(tree.matches(["z": "1", "a": "2", "m": "y"]).map(\.key) == [#"{}/{a="2",z="1"}/{m=~"x|y"}"#])
        #expect(tree.root.key == "{}")
    }

    @Test("nodes are numbered children first")
    func numbers() throws {
        let tree = try tree()
        #expect(tree.nodes.map { "\($0.route.receiver) \($0.index)" } == [
            "ops 6", "pager 2", "db-pager 0", "web-pager 1", "audit 3", "db 4", "never 5",
        ])
    }

    @Test("group labels are those of group_by that the alert has")
    func groupLabels() throws {
        var route = try route("a")
        let labels: Labels = ["alertname": "Down", "job": "api"]
        #expect(RouteTree(route).root.groupLabels(of: labels) == Labels())
        route.groupBy = ["alertname", "cluster"]
        #expect(RouteTree(route).root.groupLabels(of: labels) == ["alertname": "Down"])
        #expect(RouteTree(route).root.groupKey(["alertname": "Down", "cluster": "a\"b"]) == #"{}:{alertname="Down", cluster="a\"b"}"#)
        route.groupsByAll = true
        #expect(RouteTree(route).root.groupLabels(of: labels) == labels)
    }
}
