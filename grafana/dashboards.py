#!/usr/bin/env python3
"""The dashboards, in the few lines that differ from one panel to the next; Grafana's JSON is made from them.

    grafana/dashboards.py            writes grafana/dashboards/*.json
    grafana/dashboards.py --check    fails where they are not what this file makes

A panel is a title, a unit and expressions with their legends. Every dashboard asks the data source chosen at its top, so the same four serve
Prometheus and minprom. Tests/system/grafana.py checks the outcome.
"""
import json
import os
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dashboards")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def colours(*steps):
    """`colours("green", (0.2, "red"))`: green, from 0.2 on red."""
    return {"mode": "absolute", "steps": [{"color": steps[0], "value": None}] + [{"color": c, "value": v} for v, c in steps[1:]]}


class Panel:
    def __init__(self, title, unit, queries, width=8, height=8, kind="timeseries", description="", steps=None, stacked=False, maximum=None):
        self.title, self.unit, self.queries, self.width, self.height, self.kind = title, unit, queries, width, height, kind
        self.description, self.steps, self.stacked, self.maximum = description, steps, stacked, maximum

    def json(self, number, x, y):
        instant = self.kind in ("stat", "gauge", "table")
        targets = [
            {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend, "editorMode": "code",
             "instant": instant, "range": not instant} | ({"format": "table"} if self.kind == "table" else {})
            for i, (expr, legend) in enumerate(self.queries)
        ]
        defaults = {"unit": self.unit, "thresholds": self.steps or colours("green"), "color": {"mode": "thresholds" if instant else "palette-classic"}}
        if self.unit in ("percentunit",):
            defaults |= {"min": 0}
        if self.maximum is not None:
            defaults |= {"max": self.maximum}
        if self.kind == "timeseries":
            defaults["custom"] = {
                "drawStyle": "line", "lineWidth": 1, "fillOpacity": 30 if self.stacked else 8, "showPoints": "never", "spanNulls": False,
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
                "thresholdsStyle": {"mode": "line" if self.steps else "off"},
            }
        options = {
            "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}},
            "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value", "graphMode": "none", "textMode": "auto"},
            "gauge": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "showThresholdMarkers": True},
            "table": {"showHeader": True, "cellHeight": "sm"},
        }[self.kind]
        panel = {
            "id": number, "type": self.kind, "title": self.title, "datasource": SOURCE, "targets": targets,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options,
        }
        if self.description:
            panel["description"] = self.description
        if self.kind == "table":
            panel["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True, "__name__": True}}}]
        return panel


def variable(name, query, label=None):
    return {
        "name": name, "label": label or name, "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": "variable"},
        "definition": query, "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard(uid, title, rows, variables=(), description=""):
    """`rows`: (heading, panels); panels fill lines of 24 columns from the left."""
    panels, number, y = [], 1, 0
    for heading, content in rows:
        panels.append({"id": number, "type": "row", "title": heading, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        number, y, x, line = number + 1, y + 1, 0, 0
        for panel in content:
            if x + panel.width > 24:
                x, y, line = 0, y + line, 0
            panels.append(panel.json(number, x, y))
            number, x, line = number + 1, x + panel.width, max(line, panel.height)
        y += line
    source = {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "", "refresh": 1,
        "current": {"selected": False, "text": "Prometheus", "value": "prometheus"}, "multi": False, "includeAll": False,
    }
    alerts = {
        "name": "Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red", "expr": 'ALERTS{alertstate="firing"}', "step": "5s",
        "titleFormat": "{{alertname}}", "textFormat": "{{service}}", "tagKeys": "severity", "useValueForTime": False,
    }
    return {
        "uid": uid, "title": title, "description": description, "tags": ["minprom"], "schemaVersion": 39, "version": 1, "editable": True,
        "graphTooltip": 1, "refresh": "5s", "time": {"from": "now-15m", "to": "now"}, "timezone": "browser",
        "templating": {"list": [source, *variables]}, "annotations": {"list": [alerts]}, "panels": panels,
        "links": [{"type": "dashboards", "tags": ["minprom"], "asDropdown": True, "title": "minprom", "keepTime": True, "includeVars": True}],
    }


API = 'job="api"'
SLOW = "0.2 s is the limit of APIHighLatency. Percentiles are guessed along the bucket they fall into: when every request sleeps for a second, p95 reads 2.43 s."


def percentile(q, by=""):
    return f"histogram_quantile({q}, sum by (le{by}) (rate(flask_http_request_duration_seconds_bucket{{{API}}}[$__rate_interval])))"


def api():
    return dashboard("minprom-api", "API: latency and errors", [
        ("At a glance", [
            Panel("Up", "none", [('up{job="api"}', "")], 3, 4, "stat", steps=colours("red", (1, "green"))),
            Panel("Probe from outside", "none", [('probe_success{job="blackbox",service="api"}', "")], 3, 4, "stat", steps=colours("red", (1, "green"))),
            Panel("p95, one minute", "s", [("service:flask_http_request_duration_seconds:p95_1m", "")], 4, 4, "stat", SLOW, colours("green", (0.2, "red"))),
            Panel("p95, five minutes", "s", [("service:flask_http_request_duration_seconds:p95_5m", "")], 4, 4, "stat", SLOW, colours("green", (0.2, "red"))),
            Panel("Requests", "reqps", [("service:flask_http_request:rate1m", "")], 3, 4, "stat"),
            Panel("5xx", "percentunit", [("service:flask_http_request_5xx:ratio_rate1m", "")], 3, 4, "stat", "Of all answers, over one minute; the objective is 5 %.", colours("green", (0.05, "red"))),
            Panel("Jobs waiting", "none", [('max by (job) (worker_queue_length{job="worker"})', "")], 4, 4, "stat", steps=colours("green", (200, "red"))),
        ]),
        ("Requests", [
            Panel("Latency", "s", [(percentile(0.5), "p50"), (percentile(0.95), "p95"), (percentile(0.99), "p99")], 12, description=SLOW, steps=colours("transparent", (0.2, "red"))),
            Panel("p95 by path", "s", [(percentile(0.95, ", path"), "{{path}}")], 12),
            Panel("Requests by status", "reqps", [(f"sum by (status) (rate(flask_http_request_total{{{API}}}[$__rate_interval]))", "{{status}}")], stacked=True),
            Panel("Exceptions", "reqps", [(f"sum by (method) (rate(flask_http_request_exceptions_total{{{API}}}[$__rate_interval]))", "{{method}}")], description="Raised and not caught. A returned 503 is not among them."),
            Panel("Probe", "s", [('sum by (phase) (probe_http_duration_seconds{job="blackbox",service="api"})', "{{phase}}")], description="Where the time of a probe goes.", stacked=True),
        ]),
        ("Worker", [
            Panel("Queue", "none", [('max by (job) (worker_queue_length{job="worker"})', "jobs")], steps=colours("transparent", (200, "red"))),
            Panel("Rows inserted", "cps", [('sum by (instance) (rate(worker_rows_inserted_total{job="worker"}[$__rate_interval]))', "{{instance}}")]),
            Panel("Workers", "none", [('sum by (job) (worker_concurrency{job="worker"})', "workers")]),
        ]),
        ("Help", [
            Panel("Alerts", "none", [('ALERTS{alertstate=~"pending|firing"}', "")], 12, 8, "table"),
            Panel("What the bot did", "none", [("sum by (action, target, result) (increase(bot_actions_total[$__rate_interval]))", "{{action}} {{target}}: {{result}}")], 12),
        ]),
    ], description="Requests as users meet them, the worker behind them, and what is done when they fail.")


def system():
    node = 'job="node",instance=~"$instance"'
    return dashboard("minprom-system", "System", [
        ("At a glance", [
            Panel("Processors busy", "percentunit", [("instance:node_cpu_busy:ratio_rate1m", "{{instance}}")], 4, 6, "gauge", steps=colours("green", (0.7, "orange"), (0.9, "red")), maximum=1),
            Panel("Memory used", "percentunit", [("1 - instance:node_memory_available:ratio", "{{instance}}")], 4, 6, "gauge", steps=colours("green", (0.8, "orange"), (0.9, "red")), maximum=1),
            Panel("Load by processor", "none", [("instance:node_load1_per_cpu:ratio", "{{instance}}")], 4, 6, "gauge", steps=colours("green", (1, "orange"), (2, "red")), maximum=4),
            Panel("Disk used", "percentunit", [(f'max by (instance) (1 - node_filesystem_avail_bytes{{{node},mountpoint="/"}} / node_filesystem_size_bytes{{{node},mountpoint="/"}})', "{{instance}}")], 4, 6, "gauge", steps=colours("green", (0.8, "orange"), (0.9, "red")), maximum=1),
            Panel("Running since", "dateTimeAsIso", [(f"node_boot_time_seconds{{{node}}} * 1000", "{{instance}}")], 4, 6, "stat"),
            Panel("Targets up", "none", [("sum(up)", "up"), ("count(up)", "all")], 4, 6, "stat"),
        ]),
        ("Processors and memory", [
            Panel("Processor time by mode", "percentunit", [(f'sum by (mode) (rate(node_cpu_seconds_total{{{node},mode!="idle"}}[$__rate_interval])) / on () group_left () count(node_cpu_seconds_total{{{node},mode="idle"}})', "{{mode}}")], stacked=True),
            Panel("Load", "none", [(f"node_load1{{{node}}}", "1 min"), (f"node_load5{{{node}}}", "5 min"), (f"node_load15{{{node}}}", "15 min")]),
            Panel("Memory", "bytes", [(f"node_memory_MemTotal_bytes{{{node}}} - node_memory_MemAvailable_bytes{{{node}}}", "used"), (f"node_memory_Buffers_bytes{{{node}}} + node_memory_Cached_bytes{{{node}}}", "cache"), (f"node_memory_MemTotal_bytes{{{node}}}", "all")]),
        ]),
        ("Disks and network", [
            Panel("Disk throughput", "Bps", [(f"sum by (device) (rate(node_disk_read_bytes_total{{{node}}}[$__rate_interval]))", "{{device}} read"), (f"sum by (device) (rate(node_disk_written_bytes_total{{{node}}}[$__rate_interval]))", "{{device}} written")]),
            Panel("Disk busy", "percentunit", [(f"sum by (device) (rate(node_disk_io_time_seconds_total{{{node}}}[$__rate_interval]))", "{{device}}")], maximum=1),
            Panel("Network", "Bps", [(f'sum by (device) (rate(node_network_receive_bytes_total{{{node},device!="lo"}}[$__rate_interval]))', "{{device}} received"), (f'sum by (device) (rate(node_network_transmit_bytes_total{{{node},device!="lo"}}[$__rate_interval]))', "{{device}} sent")]),
        ]),
        ("Services", [
            Panel("Memory of each service", "bytes", [("process_resident_memory_bytes", "{{job}}")], 12),
            Panel("Processor time of each service", "percentunit", [("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}}")], 12, description="1 is one processor."),
        ]),
    ], [variable("instance", 'label_values(node_uname_info{job="node"}, instance)')], "The machine, and what each service of the stack takes of it.")


def postgres():
    database = 'job="postgres",datname=~"$datname"'
    return dashboard("minprom-postgres", "PostgreSQL", [
        ("At a glance", [
            Panel("Up", "none", [('pg_up{job="postgres"}', "")], 4, 4, "stat", steps=colours("red", (1, "green"))),
            Panel("Connections", "percentunit", [('sum(pg_stat_activity_count{job="postgres"}) / max(pg_settings_max_connections{job="postgres"})', "")], 4, 4, "stat", "Of max_connections.", colours("green", (0.8, "red"))),
            Panel("Oldest transaction", "s", [(f'max(pg_stat_activity_max_tx_duration{{{database},state="active"}})', "")], 4, 4, "stat", "DatabaseSlow asks for more than 1 s.", colours("green", (1, "red"))),
            Panel("Size", "bytes", [(f"sum(pg_database_size_bytes{{{database}}})", "")], 4, 4, "stat"),
            Panel("Found in memory", "percentunit", [(f"sum(rate(pg_stat_database_blks_hit{{{database}}}[$__rate_interval])) / (sum(rate(pg_stat_database_blks_hit{{{database}}}[$__rate_interval])) + sum(rate(pg_stat_database_blks_read{{{database}}}[$__rate_interval])))", "")], 4, 4, "stat", "Blocks found in shared buffers, of all blocks asked for."),
            Panel("Deadlocks", "none", [(f"sum(increase(pg_stat_database_deadlocks{{{database}}}[1h]))", "")], 4, 4, "stat", "In the last hour.", colours("green", (1, "red"))),
        ]),
        ("Work", [
            Panel("Transactions", "ops", [(f"sum by (datname) (rate(pg_stat_database_xact_commit{{{database}}}[$__rate_interval]))", "{{datname}} committed"), (f"sum by (datname) (rate(pg_stat_database_xact_rollback{{{database}}}[$__rate_interval]))", "{{datname}} rolled back")]),
            Panel("Rows", "ops", [(f"sum(rate(pg_stat_database_tup_{kind}{{{database}}}[$__rate_interval]))", kind) for kind in ("inserted", "updated", "deleted", "fetched")]),
            Panel("Time in statements", "percentunit", [(f"topk(5, sum by (queryid) (rate(pg_stat_statements_seconds_total{{{database}}}[$__rate_interval])))", "{{queryid}}")], description="Seconds of execution in each second: the five statements that take the most."),
            Panel("Time of one statement", "s", [(f"topk(5, sum by (queryid) (rate(pg_stat_statements_seconds_total{{{database}}}[$__rate_interval])) / sum by (queryid) (rate(pg_stat_statements_calls_total{{{database}}}[$__rate_interval]) > 0))", "{{queryid}}")], description="Mean of the executions; the five slowest. pg_stat_statements says which queryid is which statement."),
            Panel("Oldest transaction by state", "s", [(f"max by (state) (pg_stat_activity_max_tx_duration{{{database}}})", "{{state}}")]),
        ]),
        ("Waiting", [
            Panel("Connections by state", "none", [(f"sum by (state) (pg_stat_activity_count{{{database}}})", "{{state}}")], stacked=True),
            Panel("Locks by mode", "none", [(f"sum by (mode) (pg_locks_count{{{database}}})", "{{mode}}")], stacked=True),
            Panel("Conflicts and deadlocks", "ops", [(f"sum(rate(pg_stat_database_conflicts{{{database}}}[$__rate_interval]))", "conflicts"), (f"sum(rate(pg_stat_database_deadlocks{{{database}}}[$__rate_interval]))", "deadlocks")]),
        ]),
        ("Disk", [
            Panel("Blocks", "ops", [(f"sum(rate(pg_stat_database_blks_read{{{database}}}[$__rate_interval]))", "read"), (f"sum(rate(pg_stat_database_blks_hit{{{database}}}[$__rate_interval]))", "found in memory")]),
            Panel("Write-ahead log", "bytes", [('pg_wal_size_bytes{job="postgres"}', "size")]),
            Panel("Temporary files", "Bps", [(f"sum by (datname) (rate(pg_stat_database_temp_bytes{{{database}}}[$__rate_interval]))", "{{datname}}")]),
        ]),
    ], [variable("datname", 'label_values(pg_database_size_bytes{job="postgres"}, datname)', "Database")], "What the database does, what it waits for and how big it is.")


def server():
    own = 'job="prometheus"'
    return dashboard("minprom-server", "The metrics server itself", [
        ("At a glance", [
            Panel("Version", "none", [(f"prometheus_build_info{{{own}}}", "{{version}}")], 4, 4, "stat"),
            Panel("Series", "none", [(f"prometheus_tsdb_head_series{{{own}}}", "")], 4, 4, "stat"),
            Panel("Samples a second", "cps", [(f"rate(prometheus_tsdb_head_samples_appended_total{{{own}}}[$__rate_interval])", "{{type}}")], 4, 4, "stat"),
            Panel("Memory", "bytes", [(f"process_resident_memory_bytes{{{own}}}", "")], 4, 4, "stat"),
            Panel("Memory a series", "bytes", [(f"process_resident_memory_bytes{{{own}}} / on (job, instance) prometheus_tsdb_head_series{{{own}}}", "")], 4, 4, "stat"),
            Panel("Configuration", "none", [(f"prometheus_config_last_reload_successful{{{own}}}", "")], 4, 4, "stat", "1: the file that was read last is the one in force.", colours("red", (1, "green"))),
        ]),
        ("Collecting", [
            Panel("Scrape durations", "s", [("max by (job) (scrape_duration_seconds)", "{{job}}")]),
            Panel("Samples by job", "none", [("sum by (job) (scrape_samples_scraped)", "{{job}}")], stacked=True),
            Panel("Series in memory", "none", [(f"prometheus_tsdb_head_series{{{own}}}", "series"), (f"prometheus_tsdb_head_chunks{{{own}}}", "chunks")]),
        ]),
        ("Answering", [
            Panel("Queries by handler", "reqps", [(f"sum by (handler) (rate(prometheus_http_requests_total{{{own}}}[$__rate_interval])) > 0", "{{handler}}")]),
            Panel("Time of requests, p95", "s", [(f"histogram_quantile(0.95, sum by (le, handler) (rate(prometheus_http_request_duration_seconds_bucket{{{own}}}[$__rate_interval])))", "{{handler}}")]),
            Panel("Time inside queries, p90", "s", [(f'prometheus_engine_query_duration_seconds{{{own},quantile="0.9"}}', "{{slice}}")]),
        ]),
        ("Rules and alerts", [
            Panel("Rule groups", "s", [(f"prometheus_rule_group_last_duration_seconds{{{own}}}", "{{rule_group}}")], description="The time that the last evaluation took."),
            Panel("Evaluations that failed or were missed", "ops", [(f"sum(rate(prometheus_rule_evaluation_failures_total{{{own}}}[$__rate_interval]))", "failed"), (f"sum(rate(prometheus_rule_group_iterations_missed_total{{{own}}}[$__rate_interval]))", "missed")]),
            Panel("Alerts sent", "ops", [(f"sum(rate(prometheus_notifications_sent_total{{{own}}}[$__rate_interval]))", "sent"), (f"sum(rate(prometheus_notifications_errors_total{{{own}}}[$__rate_interval]))", "errors"), (f"sum(rate(prometheus_notifications_dropped_total{{{own}}}[$__rate_interval]))", "dropped")]),
            Panel("Alerts at Alertmanager", "none", [('sum by (state) (alertmanager_alerts{job="alertmanager"})', "{{state}}")]),
            Panel("Notifications", "ops", [('sum by (integration) (rate(alertmanager_notifications_total{job="alertmanager"}[$__rate_interval]))', "{{integration}}"), ('sum by (integration) (rate(alertmanager_notifications_failed_total{job="alertmanager"}[$__rate_interval]))', "{{integration}} failed")]),
            Panel("Processor time", "percentunit", [(f"rate(process_cpu_seconds_total{{{own}}}[$__rate_interval])", "{{instance}}")], description="1 is one processor."),
        ]),
    ], description="minprom, or the Prometheus it stands for: what it collects, what it is asked, what it costs.")


def main():
    wrong = False
    for name, content in (("api", api()), ("system", system()), ("postgres", postgres()), ("server", server())):
        path, text = os.path.join(HERE, name + ".json"), json.dumps(content, indent=2) + "\n"
        if "--check" in sys.argv:
            with open(path) as file:
                if file.read() != text:
                    print(f"{path} is not what grafana/dashboards.py makes")
                    wrong = True
        else:
            with open(path, "w") as file:
                file.write(text)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
