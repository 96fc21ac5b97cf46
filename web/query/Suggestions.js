// Questions for a first visit. Each is shown where the metric it needs exists; graphs span five minutes, so that a server that
// has just started fills them.

export const suggestions = [
  { title: 'CPU by mode', needs: 'node_cpu_seconds_total', stacked: true,
    expr: 'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[1m]))' },
  { title: 'Memory in use', needs: 'node_memory_MemAvailable_bytes',
    expr: 'node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes' },
  { title: 'Load', needs: 'node_load1', expr: '{__name__=~"node_load(1|5|15)"}' },
  { title: 'Disk: bytes per second', needs: 'node_disk_written_bytes_total',
    expr: 'sum by (device) (rate(node_disk_read_bytes_total[1m]) + rate(node_disk_written_bytes_total[1m]))' },
  { title: 'Network: bytes received', needs: 'node_network_receive_bytes_total',
    expr: 'rate(node_network_receive_bytes_total{device!="lo"}[1m])' },
  { title: 'File systems: share used', needs: 'node_filesystem_avail_bytes',
    expr: '1 - node_filesystem_avail_bytes{fstype!="tmpfs"} / node_filesystem_size_bytes', tab: 'table' },
  { title: 'What is up', needs: 'up', expr: 'up', tab: 'table' },
  { title: 'How long scrapes take', needs: 'scrape_duration_seconds', expr: 'scrape_duration_seconds' },
  { title: 'Requests by path', needs: 'prometheus_http_requests_total',
    expr: 'sum by (handler) (rate(prometheus_http_requests_total[1m])) > 0' },
  { title: 'Samples per second', needs: 'prometheus_tsdb_head_samples_appended_total',
    expr: 'sum(rate(prometheus_tsdb_head_samples_appended_total[1m]))' },
  { title: 'Memory of each process', needs: 'process_resident_memory_bytes', expr: 'process_resident_memory_bytes' },
  { title: 'Metrics with most series', needs: 'up', expr: 'topk(10, count by (__name__) ({__name__!=""}))', tab: 'table' },
];
