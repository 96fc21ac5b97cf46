/// What the host exporter reads, and what it leaves out. The defaults are node_exporter's.
public struct HostOptions: Sendable {
    /// Where the kernel's files are mounted; inside a container the host's may be elsewhere.
    public var procPath = "/proc"
    public var sysPath = "/sys"
    /// What is put before mount points and before /etc; `/` on the machine itself.
    public var rootPath = "/"
    public var udevPath = "/run/udev/data"

    /// Names of the collectors that run.
    public var collectors = HostMetrics.defaultCollectors

    /// `node_cpu_guest_seconds_total`.
    public var showsGuestTime = true
    /// `node_cpu_info`.
    public var showsProcessorInfo = false

    public var mountPoints = NameFilter.builtIn(
        exclude: "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)")
    public var filesystemTypes = NameFilter.builtIn(
        exclude: """
            ^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|\
            procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$
            """)
    /// Seconds that one file system may take to say its size.
    public var mountTimeout = 5.0

    public var disks = NameFilter.builtIn(exclude: "^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$")
    /// Devices of the collector `netdev`.
    public var trafficDevices = NameFilter.all
    /// Devices of the collector `netclass`.
    public var interfaceDevices = NameFilter.all
    /// Leaves out speeds below zero, which mean “unknown”.
    public var ignoresInvalidSpeed = false
    public var arpDevices = NameFilter.all
    public var sensorChips = NameFilter.all
    public var sensors = NameFilter.all
    public var powerSupplies = NameFilter.all

    public var virtualMemoryFields = NameFilter.builtIn(include: "^(oom_kill|pgpg|pswp|pg.*fault).*")
    public var protocolFields = NameFilter.builtIn(
        include: """
            ^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|\
            TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|\
            Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|\
            Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$
            """)

    /// Directories (or patterns of them) whose `*.prom` files are shown, too.
    public var textfileDirectories: [String] = []

    public init() {}
}
