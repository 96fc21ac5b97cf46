import SelfMetrics
import Testing

@testable import HostMetrics

@Suite("Network")
struct NetworkTests {
    @Test("counters stand by device; devices are chosen by an expression")
    func traffic() throws {
        let tree = SystemTree([
            "proc/net/dev": "h1\nh2\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nveth9:1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\nshort: 1 2\n",
            "sys/class/net/eth0/statistics/rx_nohandler": "4\n", "sys/class/net/veth9/statistics/rx_nohandler": "5\n",
        ])
        let noVeth = try NameFilter(exclude: "^veth")
        let found = tree.collect("netdev") { $0.trafficDevices = noVeth } ?? []
        #expect(found.first == "node_network_receive_bytes_total{device=\"eth0\"} 1")
        #expect(found.contains("node_network_transmit_compressed_total{device=\"eth0\"} 16"))
        #expect(found.last == "node_network_receive_nohandler_total{device=\"eth0\"} 4")
        #expect(found.count == 17)
        #expect(tree.collect("netdev")?.count == 34)
    }

    @Test("what /sys says of a device; a speed that is not known can be left out")
    func interfaces() throws {
        let base = "sys/class/net/eth0/"
        let tree = SystemTree([
            base + "operstate": "up\n", base + "flags": "0x1003\n", base + "mtu": "1500\n", base + "speed": "-1\n",
            base + "address": "02:00:00:00:00:01\n", base + "ifalias": "a \"b\"\n", base + "carrier": "x\n",
            "sys/class/net/lo/operstate": "unknown\n", "sys/class/net/bonding_masters": "\n",
        ])
        let found = tree.collect("netclass") ?? []
        #expect(found.contains("node_network_flags{device=\"eth0\"} 4099"))
        #expect(found.contains("node_network_speed_bytes{device=\"eth0\"} -125000"))
        #expect(found.contains("node_network_up{device=\"eth0\"} 1") && found.contains("node_network_up{device=\"lo\"} 0"))
        #expect(found.contains { $0.contains("adminstate=\"up\"") && $0.contains("ifalias=\"a \\\"b\\\"\"") })
        #expect(found.contains { $0.contains("device=\"lo\"") && $0.contains("adminstate=\"unknown\"") })
        #expect(!found.contains { $0.hasPrefix("node_network_carrier{") })
        let ignored = try NameFilter(exclude: "^lo$")
        let less =
            tree.collect("netclass") {
                $0.ignoresInvalidSpeed = true
                $0.interfaceDevices = ignored
            } ?? []
        #expect(!less.contains { $0.contains("speed_bytes") || $0.contains("\"lo\"") })
        #expect(SystemTree([:]).collect("netclass") == nil)
    }

    @Test("protocol counters: names and values on two lines, IPv6 on one; fields by an expression")
    func protocols() throws {
        let tree = SystemTree([
            "proc/net/snmp": "Tcp: ActiveOpens InErrs RtoMin\nTcp: 1 2 3\nOdd\nUdp: NoPorts\nIp: 4\n",
            "proc/net/netstat": "TcpExt: ListenDrops Bad-Name\nTcpExt: 5 6\n",
            "proc/net/snmp6": "Ip6InOctets 7\nUdp6NoPorts x\nNoNumber\n",
        ])
        #expect(
            tree.collect("netstat") == [
                "node_netstat_Ip6_InOctets 7", "node_netstat_TcpExt_ListenDrops 5", "node_netstat_Tcp_ActiveOpens 1", "node_netstat_Tcp_InErrs 2",
            ])
        #expect(tree.collect("netstat") { $0.protocolFields = .all }?.count == 5)
    }

    @Test("sockets with their memory in bytes")
    func sockets() {
        let tree = SystemTree([
            "proc/net/sockstat": "sockets: used 5\nTCP: inuse 3 mem 1\nodd\nTCP-X: a 1\n", "proc/net/sockstat6": "TCP6: inuse 2\n",
        ])
        let found = tree.collect("sockstat") ?? []
        #expect(found.contains("node_sockstat_TCP_inuse 3") && found.contains("node_sockstat_TCP6_inuse 2"))
        #expect(found.contains { $0.hasPrefix("node_sockstat_TCP_mem_bytes ") } && found.count == 5)
    }

    @Test("neighbours are counted by device")
    func neighbours() throws {
        let text =
            "IP address HW type Flags HW address Mask Device\n10.0.0.1 0x1 0x2 aa:bb * eth0\n10.0.0.2 0x1 0x2 aa:bc * eth0\n10.1.0.2 0x1 0x2 aa:bd * docker0\nbroken\n"
        let tree = SystemTree(["proc/net/arp": text])
        #expect(tree.collect("arp") == ["node_arp_entries{device=\"docker0\"} 1", "node_arp_entries{device=\"eth0\"} 2"])
        let filter = try NameFilter(include: "^eth")
        #expect(tree.collect("arp") { $0.arpDevices = filter } == ["node_arp_entries{device=\"eth0\"} 2"])
    }

    @Test("connection tracking: hexadecimal, added up over processors; without the module the collector fails")
    func conntrack() {
        let head =
            "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error expect_new expect_create expect_delete search_restart\n"
        let row = "0000006d 0 00000010 0 2 0 0 0 0 0 1 0 0 0 0 0 0000000a\n"
        let tree = SystemTree([
            "proc/sys/net/netfilter/nf_conntrack_count": "109\n", "proc/sys/net/netfilter/nf_conntrack_max": "65536\n",
            "proc/net/stat/nf_conntrack": head + row + row + "short 1\n",
        ])
        let found = tree.collect("conntrack") ?? []
        #expect(found.contains("node_nf_conntrack_entries 109") && found.contains("node_nf_conntrack_stat_found 32"))
        #expect(found.contains("node_nf_conntrack_stat_search_restart 20") && found.contains("node_nf_conntrack_stat_invalid 4"))
        #expect(SystemTree([:]).collect("conntrack") == nil)
    }

    @Test("softnet: thirteen columns name their processor, fewer are counted from the top")
    func softnet() {
        let new = "0000000a 1 2 0 0 0 0 0 3 4 5 6 00000007 0 0\n", old = "0000000b 00000001 0 0 0 0 0 0 0\n"
        let found = SystemTree(["proc/net/softnet_stat": new + old + "x\n"]).collect("softnet") ?? []
        #expect(found.contains("node_softnet_processed_total{cpu=\"7\"} 10") && found.contains("node_softnet_processed_total{cpu=\"1\"} 11"))
        #expect(found.contains("node_softnet_backlog_len{cpu=\"7\"} 6") && found.contains("node_softnet_backlog_len{cpu=\"1\"} 0"))
        #expect(found.count == 14)
    }

    @Test("UDP queues are added up; one of the two versions is enough")
    func datagrams() {
        let head = "sl local_address rem_address st tx_queue rx_queue …\n"
        let row = "1: 00000000:0035 00000000:0000 07 00000010:00000100 00:00000000 00000000 0 0 1 2 ptr 0\n"
        #expect(
            SystemTree(["proc/net/udp": head + row + row + "2: a b c nocolon e f g h i\n"]).collect("udp_queues") == [
                "node_udp_queues{ip=\"v4\",queue=\"tx\"} 32", "node_udp_queues{ip=\"v4\",queue=\"rx\"} 512",
            ])
        #expect(SystemTree([:]).collect("udp_queues") == nil)
    }

    @Test("the kernel's load balancer: services, marks, backends of both address families")
    func loadBalancer() {
        let stats =
            "   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n 16AA370 E33656E5        0     51D8C8883AB3                0\n\n"
        let table = """
            IP Virtual Server version 1.2.1 (size=4096)
            Prot LocalAddress:Port Scheduler Flags
              -> RemoteAddress:Port Forward Weight ActiveConn InActConn
            TCP  C0A80016:0CEA wlc
              -> C0A85216:0CEA      Tunnel  100    248        2
              -> broken             Tunnel  100    248        2
            FWM  10001000 wlc
              -> [2620:0000:0000:0000:0000:0000:0000:0001]:0050      Route   20     0          0

            """
        let found = SystemTree(["proc/net/ip_vs_stats": stats, "proc/net/ip_vs": table]).collect("ipvs") ?? []
        #expect(found.contains("node_ipvs_connections_total 2.3765872e+07") && found.contains("node_ipvs_outgoing_bytes_total 0"))
        #expect(
            found.contains(
                "node_ipvs_backend_connections_active{local_address=\"192.168.0.22\",local_mark=\"\",local_port=\"3306\",proto=\"TCP\",remote_address=\"192.168.82.22\",remote_port=\"3306\"} 248"
            ))
        #expect(
            found.contains {
                $0.hasPrefix("node_ipvs_backend_weight{local_address=\"\",local_mark=\"10001000\",local_port=\"0\",proto=\"FWM\"")
                    && $0.hasSuffix(" 20")
            })
        #expect(SystemTree(["proc/net/ip_vs_stats": "short\n"]).collect("ipvs") == nil)
    }

    @Test("bonds: devices and those that work")
    func bonding() {
        let tree = SystemTree([
            "sys/class/net/bonding_masters": "bond0 bond1\n", "sys/class/net/bond0/bonding/slaves": "eth0 eth1\n",
            "sys/class/net/bond0/lower_eth0/bonding_slave/mii_status": "up\n", "sys/class/net/bond0/slave_eth1/bonding_slave/mii_status": "down\n",
        ])
        #expect(
            tree.collect("bonding") == [
                "node_bonding_active{master=\"bond0\"} 1", "node_bonding_active{master=\"bond1\"} 0",
                "node_bonding_slaves{master=\"bond0\"} 2", "node_bonding_slaves{master=\"bond1\"} 0",
            ])
        #expect(SystemTree([:]).collect("bonding") == nil)
    }
}
