import ArgumentParser
import HostMetrics
import HostService
import Logging

/// Flags of the server about exporters that listen beside it.
struct ExporterFlags: ParsableArguments {
    @Option(
        name: .customLong("exporter.host.web.listen-address"),
        help: "Be a node_exporter, too, on this address; may be given several times.")
    var hostAddresses: [String] = []

    @Option(name: .customLong("exporter.host.path.procfs"), help: "Where /proc of the machine is mounted.")
    var procPath = "/proc"

    @Option(name: .customLong("exporter.host.path.sysfs"), help: "Where /sys of the machine is mounted.")
    var sysPath = "/sys"

    @Option(name: .customLong("exporter.host.path.rootfs"), help: "Where the root of the machine is mounted.")
    var rootPath = "/"

    @Option(name: .customLong("exporter.host.collector.textfile.directory"), help: "Directory of *.prom files to show, too.")
    var textfileDirectories: [String] = []

    @OptionGroup var blackbox: BlackboxFlags

    /// What the internal job and the listener both show.
    var host: HostMetrics {
        var options = HostOptions()
        options.procPath = procPath
        options.sysPath = sysPath
        options.rootPath = rootPath
        options.textfileDirectories = textfileDirectories
        return HostMetrics(options)
    }

    /// The exporters that were asked for; they listen once they run.
    func listeners(_ host: HostMetrics, logger: Logger) throws(StartError) -> [ExporterListener] {
        var listeners: [ExporterListener] = []
        if !hostAddresses.isEmpty {
            listeners.append(
                try ExporterListener(
                    HostExporter(host), on: hostAddresses, flag: "exporter.host.web.listen-address", name: "exporter host", logger: logger))
        }
        if let listener = try blackbox.listener(logger: logger) { listeners.append(listener) }
        return listeners
    }

    /// As `/api/v1/status/flags` shows them.
    var shown: [(name: String, value: String)] {
        blackbox.shown + [
            ("exporter.host.collector.textfile.directory", textfileDirectories.joined(separator: ",")),
            ("exporter.host.path.procfs", procPath), ("exporter.host.path.rootfs", rootPath),
            ("exporter.host.path.sysfs", sysPath),
            ("exporter.host.web.listen-address", hostAddresses.joined(separator: ",")),
        ]
    }
}
