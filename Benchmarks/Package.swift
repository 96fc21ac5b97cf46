// swift-tools-version:6.2
import PackageDescription

/// Costs of the hot paths, printed per sample or step. A package of its own, so that ordinary builds do not compile it.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "minprom", path: "..")],
    targets: [
        .target(name: "Harness", dependencies: [.product(name: "TSDB", package: "minprom")]),
        .executableTarget(
            name: "StorageBenchmarks", dependencies: ["Harness", .product(name: "TSDB", package: "minprom")]),
        .executableTarget(
            name: "QueryBenchmarks",
            dependencies: [
                "Harness", .product(name: "PromQL", package: "minprom"), .product(name: "TSDB", package: "minprom"),
            ]),
    ]
)
