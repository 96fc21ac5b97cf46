/// Writes decimal blocks. Owns its scratch space, so that closing a chunk allocates nothing.
struct DecimalBlockEncoder: ~Copyable {
    private let integers: UnsafeMutablePointer<Int64>
    private let capacity: Int
    private var exceptions: [(index: Int, bits: UInt64)] = []
    /// The finished block of the last `encode`.
    private(set) var bytes: [UInt8] = []

    /// Blocks of up to `capacity` samples.
    init(capacity: Int) {
        self.capacity = capacity
        integers = .allocate(capacity: capacity)
        exceptions.reserveCapacity(capacity)
        bytes.reserveCapacity(capacity * 20 + 64)
    }

    deinit { integers.deallocate() }

    /// Encodes `count` samples (1…capacity) into `bytes`; timestamps ascend strictly.
    mutating func encode(_ timestamps: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int) {
        precondition(count > 0 && count <= capacity, "decimal block of \(count) samples, capacity \(capacity)")
        bytes.removeAll(keepingCapacity: true)
        exceptions.removeAll(keepingCapacity: true)

        // Times: the grid through the first and the last one, and the deviations from it.
        let first = timestamps[0]
        let span = timestamps[count - 1] &- first
        let interval = count > 1 && span > 0 ? span / Int64(count - 1) : 0
        var low = Int64.max, high = Int64.min
        for i in 0..<count {
            let deviation = timestamps[i] &- (first &+ interval &* Int64(i))
            low = min(low, deviation)
            high = max(high, deviation)
        }
        let timesDeviate = low != 0 || high != 0
        let timeWidth = width(of: UInt64(bitPattern: high &- low))

        let plan = chooseValues(values, count)
        let kind =
            plan.mode.rawValue | (timesDeviate ? DecimalBlock.deviatingTimes : 0)
            | (exceptions.isEmpty ? 0 : DecimalBlock.withExceptions)
        bytes.append(kind)
        bytes.appendVarint(UInt64(count))
        bytes.appendVarint(zigzag(first))
        bytes.appendVarint(zigzag(interval))
        if timesDeviate {
            bytes.appendVarint(zigzag(low))
            bytes.append(UInt8(timeWidth))
        }
        switch plan.mode {
        case .constant:
            bytes.appendWord(values[0].bitPattern)
        case .offsets, .deltas:
            bytes.append(UInt8(plan.exponent))
            bytes.append(UInt8(plan.shift))
            if plan.mode == .deltas { bytes.appendVarint(zigzag(plan.first)) }
            bytes.appendVarint(zigzag(plan.base))
            bytes.append(UInt8(plan.width))
        case .rawOffsets, .rawDeltas:
            if plan.mode == .rawDeltas { bytes.appendWord(UInt64(bitPattern: plan.first)) }
            bytes.appendWord(UInt64(bitPattern: plan.base))
            bytes.append(UInt8(plan.width))
        }
        if !exceptions.isEmpty {
            bytes.appendVarint(UInt64(exceptions.count))
            for exception in exceptions {
                bytes.appendVarint(UInt64(exception.index))
                bytes.appendWord(exception.bits)
            }
        }
        if timesDeviate {
            pack(count, timeWidth) { i in
                UInt64(bitPattern: timestamps[i] &- (first &+ interval &* Int64(i)) &- low)
            }
        }
        let integers = integers
        let shift = UInt64(plan.shift)
        switch plan.mode {
        case .constant: break
        case .offsets, .rawOffsets:
            pack(count, plan.width) { i in UInt64(bitPattern: integers[i] &- plan.base) >> shift }
        case .deltas, .rawDeltas:
            pack(count - 1, plan.width) { i in
                UInt64(bitPattern: integers[i + 1] &- integers[i] &- plan.base) >> shift
            }
        }
    }

    private struct ValuePlan {
        var mode: DecimalBlock.Mode
        var exponent = 0, shift = 0, width = 0
        var first: Int64 = 0, base: Int64 = 0
    }

    /// Finds the smallest form; leaves the integers to pack in `integers` and what does not fit in `exceptions`.
    private mutating func chooseValues(_ values: UnsafePointer<Double>, _ count: Int) -> ValuePlan {
        let firstBits = values[0].bitPattern
        var isConstant = true
        for i in 1..<max(count, 1) where values[i].bitPattern != firstBits {
            isConstant = false
            break
        }
        if isConstant { return ValuePlan(mode: .constant) }

        // More exceptions than this, and packing bit patterns is smaller.
        let budget = 1 + count / 16
        if let exponent = commonExponent(values, count, budget: budget) {
            let scale = DecimalBlock.powers[exponent]
            var previous: Int64?
            var firstGood: Int64 = 0
            for i in 0..<count {
                if let integer = DecimalBlockEncoder.scaled(values[i], scale) {
                    integers[i] = integer
                    if previous == nil {
                        firstGood = integer
                        for j in 0..<i { integers[j] = firstGood }
                    }
                    previous = integer
                } else {
                    exceptions.append((i, values[i].bitPattern))
                    integers[i] = previous ?? 0
                }
            }
            if previous != nil && exceptions.count <= budget {
                return packedPlan(count, offsets: .offsets, deltas: .deltas, exponent: exponent)
            }
            exceptions.removeAll(keepingCapacity: true)
        }
        for i in 0..<count { integers[i] = Int64(bitPattern: values[i].bitPattern) }
        return packedPlan(count, offsets: .rawOffsets, deltas: .rawDeltas, exponent: nil)
    }

    /// The smallest power of ten that makes all values integers, `budget` of them excepted.
    private func commonExponent(_ values: UnsafePointer<Double>, _ count: Int, budget: Int) -> Int? {
        var exponent = 0, misfits = 0
        for i in 0..<count {
            var candidate = exponent
            while candidate < DecimalBlock.powers.count
                && DecimalBlockEncoder.scaled(values[i], DecimalBlock.powers[candidate]) == nil
            {
                candidate += 1
                if !values[i].isFinite { candidate = DecimalBlock.powers.count }
            }
            if candidate < DecimalBlock.powers.count {
                exponent = candidate
            } else {
                misfits += 1
                if misfits > budget { return nil }
            }
        }
        return exponent
    }

    /// `value · scale` as an integer, if dividing it by `scale` gives back the very same bits.
    @inline(__always)
    private static func scaled(_ value: Double, _ scale: Double) -> Int64? {
        let product = (value * scale).rounded(.toNearestOrEven)
        // Comparison is false for NaN; 2⁵¹ keeps sums and conversions exact.
        guard abs(product) < 2_251_799_813_685_248 else { return nil }
        let integer = Int64(product)
        return (Double(integer) / scale).bitPattern == value.bitPattern ? integer : nil
    }

    /// Offsets from the minimum or deltas, whichever is narrower.
    private func packedPlan(
        _ count: Int, offsets: DecimalBlock.Mode, deltas: DecimalBlock.Mode, exponent: Int?
    ) -> ValuePlan {
        var low = integers[0], high = low
        var lowDelta = Int64.max, highDelta = Int64.min
        for i in 1..<count {
            low = min(low, integers[i])
            high = max(high, integers[i])
            let delta = integers[i] &- integers[i - 1]
            lowDelta = min(lowDelta, delta)
            highDelta = max(highDelta, delta)
        }
        var offsetBits: UInt64 = 0, deltaBits: UInt64 = 0
        for i in 0..<count {
            offsetBits |= UInt64(bitPattern: integers[i] &- low)
            if i > 0 { deltaBits |= UInt64(bitPattern: integers[i] &- integers[i - 1] &- lowDelta) }
        }
        // Common trailing zeros need not be stored (page sizes, whole seconds in milliseconds).
        let offsetShift = exponent != nil && offsetBits != 0 ? offsetBits.trailingZeroBitCount : 0
        let deltaShift = exponent != nil && deltaBits != 0 ? deltaBits.trailingZeroBitCount : 0
        // Raw offsets of bit patterns across the sign would wrap: `high − low` as unsigned is still their distance.
        let offsetWidth = width(of: UInt64(bitPattern: high &- low) >> UInt64(offsetShift))
        let deltaWidth = width(of: UInt64(bitPattern: highDelta &- lowDelta) >> UInt64(deltaShift))
        if deltaWidth < offsetWidth {
            return ValuePlan(
                mode: deltas, exponent: exponent ?? 0, shift: deltaShift, width: deltaWidth, first: integers[0],
                base: lowDelta)
        }
        return ValuePlan(
            mode: offsets, exponent: exponent ?? 0, shift: offsetShift, width: offsetWidth, first: 0, base: low)
    }

    /// Bits for the largest field; wider than one unaligned load takes whole words.
    private func width(of largest: UInt64) -> Int {
        let bits = 64 - largest.leadingZeroBitCount
        return bits > 56 ? 64 : bits
    }

    private mutating func pack(_ count: Int, _ width: Int, _ field: (Int) -> UInt64) {
        guard width > 0 else { return }
        var register: UInt64 = 0
        var filled = 0
        for i in 0..<count {
            let bits = field(i)
            if width == 64 {
                bytes.appendWord(bits)
                continue
            }
            register |= bits << UInt64(filled)
            filled += width
            if filled >= 64 {
                bytes.appendWord(register)
                filled -= 64
                let used = width - filled
                register = used == 64 ? 0 : bits >> UInt64(used)
                if filled == 0 { register = 0 }
            }
        }
        while filled > 0 {
            bytes.append(UInt8(truncatingIfNeeded: register))
            register >>= 8
            filled -= 8
        }
    }
}
