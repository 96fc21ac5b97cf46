/// Where a configuration file stands.
package struct ConfigurationDirectory {
    /// Without a slash at the end; empty for the working directory.
    let path: String

    package init(of file: String) {
        path = file.lastIndex(of: "/").map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? ""
    }

    /// A path relative to it; nothing stays nothing.
    package func absolute(_ path: String) -> String {
        if path.isEmpty || path.hasPrefix("/") || self.path.isEmpty { return path }
        return self.path == "/" ? "/" + path : self.path + "/" + path
    }
}
