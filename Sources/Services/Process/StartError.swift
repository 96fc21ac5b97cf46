/// Why a program did not start, in one line.
package struct StartError: Error {
    package var message: String
    package init(_ message: String) { self.message = message }
}
