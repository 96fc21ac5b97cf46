import Alerter
import NIOCore
import SelfMetrics
import TSDB

/// `/api/v2/status`, and Alertmanager's metrics of itself under upstream's names.
extension AlertmanagerAPI {
    func addStatus(to routes: inout Routes) {
        let parts = parts
        routes.on(
            [.get], "/api/v2/status",
            Self.handler { _ throws(V2Failure) in
                .v2 { json in
                    json.append("{\"cluster\":{\"peers\":[]")
                    json.append("status", string: "disabled")
                    json.append("},\"config\":{")
                    json.append("original", string: parts.configured.text, first: true)
                    json.append("}")
                    json.append("uptime", time: parts.startTime)
                    json.append(",\"versionInfo\":{")
                    json.append("branch", string: parts.build.branch, first: true)
                    json.append("buildDate", string: parts.build.date)
                    json.append("buildUser", string: parts.build.user)
                    json.append("goVersion", string: "")
                    json.append("revision", string: parts.build.revision)
                    json.append("version", string: parts.build.version)
                    json.append("}}")
                }
            })
    }
}

/// Writes what `Alertmanager.statistics` says, under the names that Alertmanager's mixin reads.
public enum AlertmanagerMetrics {
    public static func write(_ parts: AlertmanagerParts, at now: Timestamp, to page: inout MetricsPage) {
        let now = parts.machine.statistics(at: now)
        page.family("alertmanager_build_info", .gauge, "A metric with a constant '1' value labeled by the version of the build.")
        page.sample("alertmanager_build_info", [("version", parts.build.version), ("revision", parts.build.revision)], 1)
        page.family("alertmanager_alerts", .gauge, "How many alerts by state.")
        page.sample("alertmanager_alerts", [("state", "active")], now.activeAlerts)
        page.sample("alertmanager_alerts", [("state", "suppressed")], now.suppressedAlerts)
        page.sample("alertmanager_alerts", [("state", "unprocessed")], 0)
        page.family("alertmanager_alerts_received_total", .counter, "The total number of received alerts.")
        page.sample("alertmanager_alerts_received_total", [("status", "firing"), ("version", "v2")], now.receivedFiring)
        page.sample("alertmanager_alerts_received_total", [("status", "resolved"), ("version", "v2")], now.receivedResolved)
        page.family("alertmanager_alerts_invalid_total", .counter, "The total number of received alerts that were invalid.")
        page.sample("alertmanager_alerts_invalid_total", [("version", "v2")], now.invalid)
        page.family("alertmanager_alerts_limited_total", .counter, "Alerts refused by the limit per alertname.")
        page.sample("alertmanager_alerts_limited_total", [], now.limited)
        page.family("alertmanager_dispatcher_aggregation_groups", .gauge, "Number of active aggregation groups")
        page.sample("alertmanager_dispatcher_aggregation_groups", [], now.groups)
        page.family("alertmanager_silences", .gauge, "How many silences by state.")
        for (state, count) in [("active", now.activeSilences), ("expired", now.expiredSilences), ("pending", now.pendingSilences)] {
            page.sample("alertmanager_silences", [("state", state)], count)
        }
        let kinds = now.integrations.sorted { $0.key < $1.key }
        page.family("alertmanager_notifications_total", .counter, "The total number of attempted notifications.")
        for (kind, counts) in kinds {
            page.sample("alertmanager_notifications_total", [("integration", kind)], counts.notifications)
        }
        page.family("alertmanager_notifications_failed_total", .counter, "The total number of failed notifications.")
        for (kind, counts) in kinds {
            let reasons = ["clientError", "contextCanceled", "contextDeadlineExceeded", "other", "serverError"]
            for reason in Set(reasons).union(counts.failed.keys).sorted() {
                page.sample(
                    "alertmanager_notifications_failed_total", [("integration", kind), ("reason", reason)], counts.failed[reason] ?? 0)
            }
        }
        page.family(
            "alertmanager_notification_requests_total", .counter, "The total number of attempted notification requests.")
        for (kind, counts) in kinds {
            page.sample("alertmanager_notification_requests_total", [("integration", kind)], counts.requests)
        }
        page.family(
            "alertmanager_notification_requests_failed_total", .counter, "The total number of failed notification requests.")
        for (kind, counts) in kinds {
            page.sample("alertmanager_notification_requests_failed_total", [("integration", kind)], counts.requestsFailed)
        }
        page.family("alertmanager_notifications_suppressed_total", .counter, "The total number of notifications suppressed.")
        for reason in ["active_time_interval", "inhibition", "mute_time_interval", "silence"] {
            page.sample("alertmanager_notifications_suppressed_total", [("reason", reason)], now.suppressed[reason] ?? 0)
        }
        page.family("alertmanager_nflog_queries_total", .counter, "Number of notification log queries were received.")
        page.sample("alertmanager_nflog_queries_total", [], now.notificationLogQueries)
        page.family("alertmanager_cluster_enabled", .gauge, "Indicates whether the clustering is enabled or not.")
        page.sample("alertmanager_cluster_enabled", [], 0)
        for (name, file) in [("nflog", now.notificationLogFile), ("silences", now.silenceFile)] {
            page.family("alertmanager_\(name)_maintenance_total", .counter, "How many maintenances were executed.")
            page.sample("alertmanager_\(name)_maintenance_total", [], file.maintenances)
            page.family("alertmanager_\(name)_maintenance_errors_total", .counter, "How many maintenances failed.")
            page.sample("alertmanager_\(name)_maintenance_errors_total", [], file.maintenanceErrors)
            page.family("alertmanager_\(name)_snapshot_size_bytes", .gauge, "Size of the last snapshot in bytes.")
            page.sample("alertmanager_\(name)_snapshot_size_bytes", [], file.snapshotBytes)
            page.family("minprom_alertmanager_\(name)_damaged_records", .gauge, "Records that could not be read at the start.")
            page.sample("minprom_alertmanager_\(name)_damaged_records", [], file.damagedRecords)
        }
        page.family("minprom_alertmanager_alerts_damaged_records", .gauge, "Records that could not be read at the start.")
        page.sample("minprom_alertmanager_alerts_damaged_records", [], now.alertFile.damagedRecords)
        page.family("minprom_alertmanager_alerts_snapshot_size_bytes", .gauge, "Size of the last snapshot in bytes.")
        page.sample("minprom_alertmanager_alerts_snapshot_size_bytes", [], now.alertFile.snapshotBytes)
        page.family("minprom_alertmanager_alerts_write_errors_total", .counter, "Writes of alerts that failed.")
        page.sample("minprom_alertmanager_alerts_write_errors_total", [], now.alertFile.writeErrors)
    }
}
