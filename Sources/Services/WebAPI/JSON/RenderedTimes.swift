import HTTPServer
import Numbers
import PromQL

/// `,[1435781430.781,"` for every step of a query, written once.
///
///     slot of a step (32 bytes)   ,[1435781430.781,"                its length in the last byte
final class RenderedTimes: @unchecked Sendable {
    // Sendable: written in `init`, then only read.
    private static let slot = 32
    private let slots: UnsafeMutablePointer<UInt8>

    init(_ grid: StepGrid = StepGrid(start: 0, step: 1, count: 0)) {
        let size = max(1, grid.count) * Self.slot
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        var json = JSONText()
        for step in 0..<grid.count {
            let slot = slots + step * Self.slot
            json.append(",[")
            json.appendTime(milliseconds: grid.time(step))
            json.append(",\"")
            // 2 for `,[`, at most 21 for the time, 2 for `,"`.
            json.copy(to: slot)
            slot[Self.slot - 1] = UInt8(json.count)
            json.removeAll()
        }
    }

    deinit { slots.deallocate() }

    /// Adds the points of one row, `[[t,"v"],[t,"v"]`, without what closes the list. `values` has one for each bit in `presence`, and there is one.
    ///
    /// Most series stand still most of the time: a value that is the one before it is copied, not printed.
    func append(
        _ values: UnsafeBufferPointer<Double>, _ presence: UnsafeBufferPointer<UInt64>, to json: inout JSONText
    ) {
        let start = json.count
        var next = 0
        for word in presence.indices {
            // At most 64 points, and each a slot and a plain number.
            json.write(atMost: 64 * 2 * Self.slot + NumberText.maximumLength) { place in
                var out = place, last = 0.0, lastText = place, lastLength = 0
                var bits = presence[word]
                while bits != 0 {
                    let slot = slots + (word << 6 &+ bits.trailingZeroBitCount) &* Self.slot
                    bits &= bits &- 1
                    let value = values[next]
                    next &+= 1
                    UnsafeMutableRawPointer(out).copyMemory(from: slot, byteCount: Self.slot)
                    out += Int(slot[Self.slot &- 1])
                    if value.bitPattern == last.bitPattern && lastLength > 0 {
                        // A plain number has at most 25 bytes (-0.0000012345678901234567).
                        UnsafeMutableRawPointer(out).copyMemory(from: lastText, byteCount: Self.slot)
                    } else {
                        last = value
                        lastText = out
                        lastLength = NumberText.write(value, to: out, style: .plain)
                        out[lastLength] = UInt8(ascii: "\"")
                        out[lastLength &+ 1] = UInt8(ascii: "]")
                    }
                    out += lastLength &+ 2
                }
                return out
            }
        }
        // The first point has a comma in front; that is where the list opens.
        json.replace(at: start, by: UInt8(ascii: "["))
    }

    /// Adds one point, `[t,"v"]`.
    func append(_ step: Int, _ value: Double, to json: inout JSONText) {
        let slot = slots + step &* Self.slot
        // Without the comma in front and the quotation mark at the end.
        json.append(UnsafeRawBufferPointer(start: slot + 1, count: Int(slot[Self.slot - 1]) - 2))
        json.appendSampleValue(value)
        json.append(byte: UInt8(ascii: "]"))
    }
}
