/// `irate` and `idelta`: the step between the last two samples of the window.
///
///     window   (           ×        ×  ×    ]
///                                   └──┘           per second: divided by the distance of the two
///
/// `irate` takes a smaller second value for a counter that began again at zero.
struct InstantRate: WindowKernel {
    /// `irate`; otherwise `idelta`.
    let isRate: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let times = samples.times, values = samples.values
        for step in 0..<plan.windows.count where plan.high[step] &- plan.low[step] >= 2 {
            let last = plan.high[step] &- 1
            var result = values[last]
            if !(isRate && values[last] < values[last &- 1]) { result -= values[last &- 1] }
            if isRate { result /= Double(times[last] &- times[last &- 1]) / 1000 }
            column.set(step, result)
        }
    }
}
