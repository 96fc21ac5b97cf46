import ArgumentParser
import HTTPServer
import HostMetrics
import HostService
import Logging
import NIOPosix
import RegularExpression
import TSDB

/// `minprom exporter host`: node_exporter's pages and flags.
struct HostExporterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Metrics of this machine, as node_exporter gives them.",
        discussion: """
            --collector.NAME and --no-collector.NAME turn a collector on and off. There are:
            \(HostMetrics.collectorNames.sorted().joined(separator: ", "))
            """)

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = ["0.0.0.0:9100"]

    @Option(name: .customLong("web.telemetry-path"), help: "Path of the metrics.")
    var telemetryPath = "/metrics"

    @Option(name: .customLong("web.max-requests"), help: "Scrapes served at once; 0: any number.")
    var maxRequests = 40

    @Flag(name: .customLong("web.disable-exporter-metrics"), help: "Leave out the exporter's own metrics.")
    var hidesOwnMetrics = false

    @Flag(name: .customLong("collector.disable-defaults"), help: "Start with no collector.")
    var disablesDefaults = false

    @Option(name: .customLong("path.procfs"), help: "Where /proc of the machine is mounted.")
    var procPath = "/proc"

    @Option(name: .customLong("path.sysfs"), help: "Where /sys of the machine is mounted.")
    var sysPath = "/sys"

    @Option(name: .customLong("path.rootfs"), help: "Where the root of the machine is mounted.")
    var rootPath = "/"

    @Option(name: .customLong("path.udev.data"), help: "Where udev keeps what it knows.")
    var udevPath = "/run/udev/data"

    @Option(name: .customLong("collector.filesystem.mount-points-exclude"), help: "Mount points to leave out (regexp).")
    var mountPointsExclude: String?

    @Option(name: .customLong("collector.filesystem.mount-points-include"), help: "The only mount points to show (regexp).")
    var mountPointsInclude: String?

    @Option(name: .customLong("collector.filesystem.fs-types-exclude"), help: "Kinds of file systems to leave out (regexp).")
    var typesExclude: String?

    @Option(name: .customLong("collector.filesystem.fs-types-include"), help: "The only kinds of file systems to show (regexp).")
    var typesInclude: String?

    @Option(name: .customLong("collector.filesystem.mount-timeout"), help: "Seconds that a file system may take to answer.")
    var mountTimeout = "5s"

    @Option(name: .customLong("collector.diskstats.device-exclude"), help: "Disks to leave out (regexp).")
    var disksExclude: String?

    @Option(name: .customLong("collector.diskstats.device-include"), help: "The only disks to show (regexp).")
    var disksInclude: String?

    @Option(name: .customLong("collector.netdev.device-exclude"), help: "Network devices to leave out of traffic (regexp).")
    var trafficExclude: String?

    @Option(name: .customLong("collector.netdev.device-include"), help: "The only network devices to show traffic of (regexp).")
    var trafficInclude: String?

    @Option(name: .customLong("collector.netclass.ignored-devices"), help: "Network devices to leave out of netclass (regexp).")
    var interfacesIgnored = "^$"

    @Flag(name: .customLong("collector.netclass.ignore-invalid-speed"), help: "Leave out speeds that are not known.")
    var ignoresInvalidSpeed = false

    @Option(name: .customLong("collector.arp.device-exclude"), help: "Devices to leave out of arp (regexp).")
    var arpExclude: String?

    @Option(name: .customLong("collector.arp.device-include"), help: "The only devices to show in arp (regexp).")
    var arpInclude: String?

    @Option(name: .customLong("collector.hwmon.chip-exclude"), help: "Sensor chips to leave out (regexp).")
    var chipsExclude: String?

    @Option(name: .customLong("collector.hwmon.chip-include"), help: "The only sensor chips to show (regexp).")
    var chipsInclude: String?

    @Option(name: .customLong("collector.hwmon.sensor-exclude"), help: "Sensors to leave out, as CHIP;SENSOR (regexp).")
    var sensorsExclude: String?

    @Option(name: .customLong("collector.hwmon.sensor-include"), help: "The only sensors to show, as CHIP;SENSOR (regexp).")
    var sensorsInclude: String?

    @Option(name: .customLong("collector.powersupply.ignored-supplies"), help: "Power supplies to leave out (regexp).")
    var suppliesIgnored = "^$"

    @Option(name: .customLong("collector.vmstat.fields"), help: "Fields of /proc/vmstat to show (regexp).")
    var virtualMemoryFields: String?

    @Option(name: .customLong("collector.netstat.fields"), help: "Counters of network protocols to show (regexp).")
    var protocolFields: String?

    @Flag(name: .customLong("collector.cpu.guest"), inversion: .prefixedNo, help: "Show node_cpu_guest_seconds_total.")
    var showsGuestTime = true

    @Flag(name: .customLong("collector.cpu.info"), inversion: .prefixedNo, help: "Show node_cpu_info.")
    var showsProcessorInfo = false

    @Option(
        name: .customLong("collector.textfile.directory"),
        help: "Directory of *.prom files to show, too; a pattern, may be given several times.")
    var textfileDirectories: [String] = []

    @OptionGroup var logging: LogFlags

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var rest: [String] = []

    func run() async throws {
        do throws(StartError) {
            let logger = try logging.logger()
            var page = HostExporter.Options()
            guard telemetryPath.hasPrefix("/") else { throw StartError("--web.telemetry-path must begin with /") }
            page.telemetryPath = telemetryPath
            page.maxRequests = maxRequests
            page.showsOwnMetrics = !hidesOwnMetrics
            let exporter = HostExporter(HostMetrics(try options()), page)
            try await ExporterListener.run(exporter, on: listenAddresses, logger: logger)
        } catch {
            throw ExitCode(Console.complain(error.message))
        }
    }

    private func options() throws(StartError) -> HostOptions {
        var options = HostOptions()
        options.procPath = procPath
        options.sysPath = sysPath
        options.rootPath = rootPath
        options.udevPath = udevPath
        options.textfileDirectories = textfileDirectories
        options.showsGuestTime = showsGuestTime
        options.showsProcessorInfo = showsProcessorInfo
        options.ignoresInvalidSpeed = ignoresInvalidSpeed
        let timeout = try AlertmanagerSettings.duration(mountTimeout, flag: "collector.filesystem.mount-timeout")
        options.mountTimeout = Double(timeout.milliseconds) / 1000
        options.collectors = try CollectorFlags.enabled(rest, disablesDefaults: disablesDefaults)
        try Self.filter(&options.mountPoints, mountPointsInclude, mountPointsExclude, "filesystem.mount-points")
        try Self.filter(&options.filesystemTypes, typesInclude, typesExclude, "filesystem.fs-types")
        try Self.filter(&options.disks, disksInclude, disksExclude, "diskstats.device")
        try Self.filter(&options.trafficDevices, trafficInclude, trafficExclude, "netdev.device")
        try Self.filter(&options.interfaceDevices, nil, interfacesIgnored, "netclass.ignored-devices")
        try Self.filter(&options.arpDevices, arpInclude, arpExclude, "arp.device")
        try Self.filter(&options.sensorChips, chipsInclude, chipsExclude, "hwmon.chip")
        try Self.filter(&options.sensors, sensorsInclude, sensorsExclude, "hwmon.sensor")
        try Self.filter(&options.powerSupplies, nil, suppliesIgnored, "powersupply.ignored-supplies")
        try Self.filter(&options.virtualMemoryFields, virtualMemoryFields, nil, "vmstat.fields")
        try Self.filter(&options.protocolFields, protocolFields, nil, "netstat.fields")
        return options
    }

    /// Replaces a default where the user said something.
    private static func filter(_ filter: inout NameFilter, _ include: String?, _ exclude: String?, _ flag: String) throws(StartError) {
        if include == nil && exclude == nil { return }
        if let include, let exclude, !include.isEmpty, !exclude.isEmpty {
            throw StartError("--collector.\(flag)-include and -exclude are mutually exclusive")
        }
        do throws(PatternError) { filter = try NameFilter(include: include ?? "", exclude: exclude ?? "") } catch {
            throw StartError("--collector.\(flag): \(error)")
        }
    }
}
