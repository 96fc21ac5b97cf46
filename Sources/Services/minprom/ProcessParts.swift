/// Signals, log lines, standard error: what every program of the package needs. Exported to all files of this executable, nearly all of
/// which complain to the console.
@_exported import ServiceProcess
