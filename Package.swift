// swift-tools-version:6.2
import PackageDescription

/// Targets with loops over samples: optimised in debug builds too, so that `swift run minprom` answers in good time.
/// Exclusivity is kept statically; the dynamic check costs up to six times in bit readers (docs/design/0001).
let hot: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"]),
    .unsafeFlags(["-O", "-whole-module-optimization", "-num-threads", "2", "-disable-batch-mode"], .when(configuration: .debug)),
]

let package = Package(
    name: "minprom",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "minprom", targets: ["minprom"]),
        .executable(name: "minprom-demo", targets: ["minprom-demo"]),
        .library(name: "TSDB", targets: ["TSDB"]),
        .library(name: "PromQL", targets: ["PromQL"]),
    ],
    dependencies: [
        // Traits off: without them the server needs neither Foundation's ICU nor swift-configuration (docs/design/0001).
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    ],
    targets: [
        // Leaves: no dependencies, each can be compiled and fuzzed alone.
        .target(name: "CTSDB", path: "Sources/Leaves/CTSDB"),
        .target(name: "CWebFiles", path: "Sources/Leaves/CWebFiles"),
        .target(name: "CAllocations", path: "Sources/Leaves/CAllocations"),
        .target(name: "CSpawn", path: "Sources/Leaves/CSpawn"),
        .target(name: "CClockState", path: "Sources/Leaves/CClockState"),
        .systemLibrary(
            name: "CLZ4", path: "Sources/Leaves/CLZ4", pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(
            name: "CZlib", path: "Sources/Leaves/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "RegularExpression", path: "Sources/Leaves/RegularExpression", swiftSettings: hot),
        .target(name: "Histograms", dependencies: ["Numbers"], path: "Sources/Leaves/Histograms", swiftSettings: hot),
        .target(name: "Numbers", path: "Sources/Leaves/Numbers", swiftSettings: hot),
        .target(name: "Digest", path: "Sources/Leaves/Digest", swiftSettings: hot),
        .target(name: "Programs", dependencies: ["CSpawn"], path: "Sources/Leaves/Programs"),
        .target(name: "ServiceNames", path: "Sources/Leaves/ServiceNames"),
        .target(name: "Protobuf", path: "Sources/Leaves/Protobuf"),
        .target(name: "Snappy", path: "Sources/Leaves/Snappy", swiftSettings: hot),
        .target(name: "Threads", path: "Sources/Leaves/Threads"),
        .target(name: "JSON", dependencies: ["Numbers"], path: "Sources/Leaves/JSON"),
        .target(
            name: "Exposition", dependencies: ["Histograms", "Numbers"], path: "Sources/Leaves/Exposition", swiftSettings: hot),
        .target(
            name: "TextTemplate", dependencies: ["Numbers"], path: "Sources/Leaves/TextTemplate"),

        // The core: no sockets, no clock, no Foundation.
        .target(name: "TSDB", dependencies: ["CTSDB", "CLZ4", "Histograms", "RegularExpression", "Snappy"], swiftSettings: hot),
        .target(
            name: "PromQL", dependencies: ["Histograms", "TSDB", "Numbers", "RegularExpression", "Threads"], swiftSettings: hot),
        .target(
            name: "Scraper", dependencies: ["TSDB", "Digest", "Exposition", "Histograms", "Numbers", "RegularExpression"], swiftSettings: hot),
        .target(name: "Alerter", dependencies: ["Digest", "Histograms", "JSON", "Numbers", "PromQL", "RegularExpression", "TextTemplate", "TSDB"]),

        // Services: everything that touches the world.
        .target(
            name: "ConfigurationFile",
            dependencies: [
                "Alerter", "BotCore", "Numbers", "PromQL", "RegularExpression", "Scraper", "TextTemplate", "TSDB", "Yams",
            ],
            path: "Sources/Services/Configuration"),
        .target(
            name: "SelfMetrics", dependencies: ["Histograms", "Numbers", "Protobuf"], path: "Sources/Services/Metrics"),
        .target(
            name: "HostMetrics", dependencies: ["CClockState", "Exposition", "Numbers", "RegularExpression", "SelfMetrics", "Threads"],
            path: "Sources/Services/Exporters/Host"),
        .target(
            name: "HostService",
            dependencies: [
                "HTTPServer", "HostMetrics", "SelfMetrics",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Services/Exporters/HostService"),
        .target(
            name: "BlackboxExporter",
            dependencies: [
                "Alerter", "ConfigurationFile", "Digest", "HTTPServer", "Notify", "Numbers", "RegularExpression", "SelfMetrics",
                "ServiceNames", "TSDB",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            path: "Sources/Services/Exporters/Blackbox"),
        .target(
            name: "HTTPServer",
            dependencies: [
                "CZlib", "Numbers", "ServiceNames", "Threads",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Services/HTTP"),
        .target(
            name: "WebAPI",
            dependencies: [
                "Alerter", "ConfigurationFile", "Histograms", "HTTPServer", "JSON", "Numbers", "PromQL", "Protobuf", "RegularExpression",
                "Scraper", "SelfMetrics", "ServiceNames", "Snappy", "Threads", "TSDB",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Services/WebAPI"),
        .target(
            name: "Rules",
            dependencies: [
                "Alerter", "ConfigurationFile", "HTTPServer", "Numbers", "Scraper", "SelfMetrics", "ServiceNames", "TSDB",
                "WebAPI",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Rules"),
        .target(
            name: "PrometheusClient",
            dependencies: [
                "Histograms", "JSON", "Numbers", "ServiceNames", "Snappy", "TSDB",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Client"),
        .target(
            name: "Notify",
            dependencies: [
                "Alerter", "ConfigurationFile", "CSpawn", "Digest", "JSON", "Numbers", "Programs", "ServiceNames",
                "TextTemplate", "TSDB",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Sources/Services/Notify"),
        // The alert bot: what it decides, and what it does.
        .target(name: "BotCore", dependencies: ["Digest", "JSON", "Numbers", "TSDB"], path: "Sources/Services/AlertBot/Core"),
        .target(
            name: "AlertBot",
            dependencies: [
                "BotCore", "ConfigurationFile", "Digest", "HTTPServer", "JSON", "Numbers", "Programs", "PrometheusClient", "SelfMetrics",
                "ServiceNames", "ServiceProcess", "TSDB",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/AlertBot/Service"),
        .target(
            name: "Bench",
            dependencies: [
                "CAllocations", "HTTPServer", "JSON", "Numbers", "PrometheusClient", "PromQL", "Scraper", "SelfMetrics", "TSDB", "WebAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Services/Bench", swiftSettings: hot),
        .target(
            name: "Compare",
            dependencies: [
                "Alerter", "ConfigurationFile", "Exposition", "JSON", "Numbers", "Programs", "PrometheusClient", "PromQL", "TSDB",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Compare"),
        .target(
            name: "Tool",
            dependencies: ["Alerter", "ConfigurationFile", "Histograms", "Numbers", "PromQL", "RegularExpression", "Scraper", "TSDB"],
            path: "Sources/Services/Tool"),
        .target(
            name: "Incidents",
            dependencies: [
                "HTTPServer", "JSON", "Numbers", "Programs", "SelfMetrics", "ServiceNames", "ServiceProcess", "Threads",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Incidents"),
        // The stack without Docker: compose files, the machine that keeps services up, and the processes.
        .target(
            name: "ComposeFile", dependencies: ["ConfigurationFile", "Numbers", "TSDB"], path: "Sources/Services/Supervisor/Compose"),
        .target(
            name: "Supervisor", dependencies: ["ComposeFile", "ConfigurationFile", "ServiceNames", "TSDB"],
            path: "Sources/Services/Supervisor/Machine"),
        .target(
            name: "SupervisorHost",
            dependencies: [
                "CSpawn", "ComposeFile", "ConfigurationFile", "HTTPServer", "JSON", "Numbers", "ServiceNames", "ServiceProcess", "Supervisor",
                "Threads", "TSDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Supervisor/Host"),
        .target(name: "Tokens", path: "Sources/Services/Tokens"),
        .executableTarget(
            name: "minprom",
            dependencies: [
                "AlertBot", "Alerter", "Bench", "BlackboxExporter", "BotCore", "Compare", "ComposeFile",
                "ConfigurationFile", "CWebFiles", "HostMetrics", "HostService", "HTTPServer", "Incidents", "JSON", "Notify",
                "Numbers", "Programs", "PrometheusClient", "PromQL", "RegularExpression", "Rules", "Scraper", "SelfMetrics",
                "ServiceNames", "ServiceProcess", "Supervisor", "SupervisorHost", "TextTemplate", "Tokens", "Tool", "TSDB",
                "WebAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            path: "Sources/Services/minprom"),

        // What every program needs: signals, log lines, standard error, tokens.
        .target(
            name: "ServiceProcess",
            dependencies: [
                "Digest", "HTTPServer", "Numbers", "Threads", "TSDB",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Services/Process"),

        // The demo's services on PostgreSQL. Only `minprom-demo` links libpq: it brings some twenty shared libraries.
        .systemLibrary(
            name: "CPostgres", path: "Sources/Leaves/CPostgres", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .target(name: "Postgres", dependencies: ["CPostgres", "HTTPServer", "ServiceNames"], path: "Sources/Services/Postgres"),
        .target(name: "DemoStore", dependencies: ["Postgres"], path: "Sources/Services/DemoStore"),
        .target(
            name: "DemoAPI",
            dependencies: [
                "DemoStore", "HTTPServer", "JSON", "Postgres", "SelfMetrics", "ServiceProcess",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Services/DemoAPI"),
        .target(
            name: "Worker",
            dependencies: [
                "DemoStore", "HTTPServer", "Postgres", "SelfMetrics", "ServiceProcess",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Services/Worker"),
        .target(
            name: "PostgresExporter",
            dependencies: [
                "HTTPServer", "Numbers", "Postgres", "SelfMetrics",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Services/Exporters/Postgres"),
        .executableTarget(
            name: "minprom-demo",
            dependencies: [
                "DemoAPI", "DemoStore", "Numbers", "Postgres", "PostgresExporter", "ServiceProcess", "SupervisorHost", "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Services/minprom-demo"),

        // Tests: one folder per target.
        .target(name: "Support", dependencies: ["Histograms", "TSDB"], path: "Tests/Support"),
        .target(
            name: "Loopback",
            dependencies: [
                "HTTPServer",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Loopback"),
        .testTarget(
            name: "LeavesTests",
            dependencies: [
                "RegularExpression", "Digest", "Histograms", "JSON", "Numbers", "ServiceNames", "Snappy", "Exposition", "TextTemplate", "Support",
                "Threads",
            ],
            exclude: ["pages"]),
        .testTarget(name: "TokensTests", dependencies: ["Tokens"]),
        .testTarget(name: "TSDBTests", dependencies: ["Histograms", "TSDB", "Support"]),
        .testTarget(
            name: "PromQLTests", dependencies: ["Histograms", "Numbers", "PromQL", "RegularExpression", "TSDB", "Support"],
            exclude: ["scripts"]),
        .testTarget(name: "ScraperTests", dependencies: ["Digest", "Histograms", "Scraper", "TSDB", "Support"]),
        .testTarget(
            name: "AlerterTests",
            dependencies: ["Alerter", "Histograms", "Numbers", "PromQL", "RegularExpression", "TextTemplate", "TSDB", "Support"]),
        .testTarget(
            name: "BotTests",
            dependencies: [
                "AlertBot", "BotCore", "ConfigurationFile", "HTTPServer", "JSON", "Programs", "Support", "TSDB",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "BlackboxExporterTests",
            dependencies: [
                "BlackboxExporter", "ConfigurationFile", "HTTPServer", "Loopback", "ServiceNames", "Support",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .target(name: "DemoSupport", dependencies: ["Postgres"], path: "Tests/DemoSupport"),
        .testTarget(name: "PostgresTests", dependencies: ["DemoStore", "DemoSupport", "Postgres", "ServiceNames"]),
        .testTarget(
            name: "DemoAPITests",
            dependencies: [
                "DemoAPI", "DemoSupport", "HTTPServer", "Postgres", "SelfMetrics", "ServiceProcess",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "DemoSupport", "HTTPServer", "Postgres", "ServiceProcess", "Worker",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "PostgresExporterTests",
            dependencies: [
                "DemoSupport", "HTTPServer", "Postgres", "PostgresExporter",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ServicesTests",
            dependencies: [
                "Alerter", "Bench", "Compare", "ConfigurationFile", "Exposition", "Histograms", "HostMetrics", "HTTPServer", "JSON",
                "Loopback", "Notify", "PrometheusClient", "PromQL", "Protobuf", "RegularExpression", "Rules", "Scraper", "SelfMetrics",
                "Snappy", "Support", "Threads",
                "Tool", "TSDB", "WebAPI",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Configuration/alertmanager"]),
        .testTarget(
            name: "IncidentsTests",
            dependencies: [
                "HTTPServer", "Incidents", "JSON", "Loopback", "Programs", "ServiceNames", "Support",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "SupervisorTests",
            dependencies: ["ComposeFile", "ConfigurationFile", "ServiceNames", "Supervisor", "SupervisorHost", "Support", "TSDB"]),
        .testTarget(name: "HostMetricsTests", dependencies: ["HTTPServer", "HostMetrics", "HostService", "SelfMetrics"]),
    ]
)
