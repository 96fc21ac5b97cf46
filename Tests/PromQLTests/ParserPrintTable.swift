/// Queries and their canonical form: `query  →  printed`. Control characters are drawn (`␤`, `␉`, `␍`). Held against
/// Prometheus 3.5.3 (`/api/v1/format_query`), and against 3.14's printer where that knows more.
enum ParserPrintTable {
    static let all = [
        literals, selectors, rangesOffsets, operators, aggregations, functions, commentsAndSpace,
        laterAdditionsOfTheLanguage,
    ]

    /// Literals
    static let literals = #"""
        1  →  1
        +1  →  1
        -1  →  -1
        --1  →  1
        1.50  →  1.5
        .5  →  0.5
        5.  →  5
        1e3  →  1000
        1E-3  →  0.001
        1e+5  →  100000
        0x1F  →  31
        0XaB  →  171
        017  →  15
        08  →  8
        0_1  →  1
        1_000  →  1000
        1_0.5_0  →  10.5
        0x_ff  →  255
        1e21  →  1000000000000000000000
        123456789012345678901234567890  →  123456789012345680000000000000
        1e-10  →  0.0000000001
        0.1  →  0.1
        Inf  →  +Inf
        +iNf  →  +Inf
        -inf  →  -Inf
        NaN  →  NaN
        -nan  →  NaN
        5m  →  5m
        1h30m  →  1h30m
        90d  →  90d
        1y  →  1y
        52w  →  52w
        1y1d  →  366d
        0s  →  0s
        150ms  →  150ms
        1500ms  →  1s500ms
        -5m  →  -5m
        "a"  →  "a"
        'a"b'  →  "a\"b"
        `a\b`  →  "a\\b"
        "a\tb\x41\u00e9\U0001f600\101"  →  "a\tbAé😀A"
        'it\'s'  →  "it's"
        "é☺"  →  "é☺"
        "\a\b\f\v"  →  "\a\b\f\v"
        ""  →  ""
        """#

    /// Selectors
    static let selectors = #"""
        foo  →  foo
        foo:bar:baz  →  foo:bar:baz
        :foo  →  :foo
        _foo  →  _foo
        FOO  →  FOO
        foo{}  →  foo
        foo{a="b"}  →  foo{a="b"}
        foo{a="b",}  →  foo{a="b"}
        foo { a = "b" , c != "d" , }  →  foo{a="b",c!="d"}
        foo{b="1",a="2"}  →  foo{a="2",b="1"}
        foo{a=~"b.*",c!~"d|e"}  →  foo{a=~"b.*",c!~"d|e"}
        {a="b"}  →  {a="b"}
        {__name__="foo"}  →  {__name__="foo"}
        {__name__="foo",a="b"}  →  {__name__="foo",a="b"}
        {"foo"}  →  {__name__="foo"}
        {"foo bar",a="b"}  →  {__name__="foo bar",a="b"}
        {"foo", "a.b"="c"}  →  {"a.b"="c",__name__="foo"}
        foo{"a"="b"}  →  foo{a="b"}
        foo{"a.b"!="c"}  →  foo{"a.b"!="c"}
        foo{'x y'=~'z'}  →  foo{"x y"=~"z"}
        {__name__!=""}  →  {__name__!=""}
        {a!=""}  →  {a!=""}
        {a!="",b=""}  →  {a!="",b=""}
        foo{a="\"\\\n"}  →  foo{a="\"\\\n"}
        foo{on="a",by="b",sum="c",offset="d",inf="e"}  →  foo{by="b",inf="e",offset="d",on="a",sum="c"}
        sum  →  sum
        sum{a="b"}  →  sum{a="b"}
        by  →  by
        without  →  without
        offset  →  offset
        offset offset 5m  →  offset offset 5m
        and  →  and
        or or or  →  or or or
        unless  →  unless
        by + without  →  by + without
        group  →  group
        start  →  start
        end  →  end
        step  →  step
        range  →  range
        max_of  →  max_of
        anchored  →  anchored
        smoothed  →  smoothed
        fill  →  fill
        fill + fill  →  fill + fill
        fill_left  →  fill_left
        count_values  →  count_values
        TOPK  →  TOPK
        """#

    /// Ranges, offsets, @
    static let rangesOffsets = #"""
        foo[5m]  →  foo[5m]
        foo [ 5m ]  →  foo[5m]
        foo[300]  →  foo[5m]
        foo[0.5]  →  foo[500ms]
        foo[1.0005]  →  foo[1s]
        foo[90m]  →  foo[1h30m]
        foo[1d]  →  foo[1d]
        foo[1y6d]  →  foo[53w]
        foo{a="b"}[5m] offset 1h  →  foo{a="b"}[5m] offset 1h
        foo offset 5m  →  foo offset 5m
        foo OFFSET -5m  →  foo offset -5m
        foo offset 0s  →  foo
        foo offset 300  →  foo offset 5m
        foo offset +1.5  →  foo offset 1s500ms
        foo offset 1w  →  foo offset 1w
        foo @ 1700000000  →  foo @ 1700000000.000
        foo @ 1700000000.1239  →  foo @ 1700000000.124
        foo @ -5  →  foo @ -5.000
        foo @ +5m  →  foo @ 300.000
        foo @ 0  →  foo @ 0.000
        foo @ 1e3  →  foo @ 1000.000
        foo @ 9e18  →  foo @ 9223372036854776.000
        foo @ start()  →  foo @ start()
        foo @ END()  →  foo @ end()
        foo @ end() offset 5m  →  foo @ end() offset 5m
        foo offset 5m @ start()  →  foo @ start() offset 5m
        foo[5m] @ 100 offset -1m  →  foo[5m] @ 100.000 offset -1m
        foo[5m] offset 1m @ 100.5  →  foo[5m] @ 100.500 offset 1m
        foo[5m:1m]  →  foo[5m:1m]
        foo[5m:]  →  foo[5m:]
        foo[1h:5m] offset 5m @ end()  →  foo[1h:5m] @ end() offset 5m
        rate(foo[5m])[30m:1m]  →  rate(foo[5m])[30m:1m]
        max_over_time(rate(foo[5m])[30m:1m] offset 1d)  →  max_over_time(rate(foo[5m])[30m:1m] offset 1d)
        (foo)[5m:]  →  (foo)[5m:]
        sum(foo)[5m:1m]  →  sum(foo)[5m:1m]
        foo[5m:1m] @ 10  →  foo[5m:1m] @ 10.000
        (foo offset 5m)[5m:1m]  →  (foo offset 5m)[5m:1m]
        foo offset 5m[5m:1m]  →  foo offset 5m[5m:1m]
        foo offset 5m + 3  →  foo offset 5m + 3
        foo offset -5m ^ 2  →  foo offset -5m ^ 2
        -foo offset 5m  →  -foo offset 5m
        foo @ 5 + 1  →  foo @ 5.000 + 1
        """#

    /// Operators
    static let operators = #"""
        1 + 2 * 3  →  1 + 2 * 3
        (1 + 2) * 3  →  (1 + 2) * 3
        1 - 2 - 3  →  1 - 2 - 3
        2 ^ 3 ^ 4  →  2 ^ 3 ^ 4
        -2 ^ 2  →  -2 ^ 2
        (-2) ^ 2  →  (-2) ^ 2
        2 ^ -1  →  2 ^ -1
        2 ^ -1 * 3  →  2 ^ -1 * 3
        -1 * 2  →  -1 * 2
        - foo  →  -foo
        -foo  →  -foo
        +foo  →  +foo
        - -foo  →  --foo
        -(foo)  →  -(foo)
        --foo  →  --foo
        -foo ^ bar  →  -foo ^ bar
        -foo * bar  →  -foo * bar
        1 * -foo  →  1 * -foo
        foo atan2 bar  →  foo atan2 bar
        foo ATAN2 bar ^ 2  →  foo atan2 bar ^ 2
        1 % 2 / 3 * 4  →  1 % 2 / 3 * 4
        foo == bar  →  foo == bar
        foo == bool bar  →  foo == bool bar
        1 == bool 1  →  1 == bool 1
        foo > 1  →  foo > 1
        foo >= BOOL 1  →  foo >= bool 1
        1 < foo  →  1 < foo
        foo < bar < baz  →  foo < bar < baz
        foo != bar == baz  →  foo != bar == baz
        foo and bar or baz  →  foo and bar or baz
        foo or bar and baz  →  foo or bar and baz
        foo unless bar and baz  →  foo unless bar and baz
        foo + bar == baz and qux or quux  →  foo + bar == baz and qux or quux
        foo AND bar  →  foo and bar
        foo and on () bar  →  foo and on () bar
        foo + on (a) bar  →  foo + on (a) bar
        foo + on(a,b,) bar  →  foo + on (a, b) bar
        foo + ON(a) Group_Left bar  →  foo + on (a) group_left () bar
        foo + on(a) group_left(b,"c.d") bar  →  foo + on (a) group_left (b, "c.d") bar
        foo * ignoring(a) group_right() bar  →  foo * ignoring (a) group_right () bar
        foo * ignoring(a) group_right bar  →  foo * ignoring (a) group_right () bar
        foo / ignoring() bar  →  foo / bar
        foo / on() bar  →  foo / on () bar
        foo > bool on("a b") group_left bar  →  foo > bool on ("a b") group_left () bar
        foo + on(sum, by, bool, ignoring) bar  →  foo + on (sum, by, bool, ignoring) bar
        foo unless ignoring(a) bar  →  foo unless ignoring (a) bar
        (foo or bar)[5m:]  →  (foo or bar)[5m:]
        "a"  →  "a"
        ((foo))  →  ((foo))
        """#

    /// Aggregations
    static let aggregations = #"""
        sum(foo)  →  sum(foo)
        sum (foo)  →  sum(foo)
        SUM(foo)  →  sum(foo)
        sum by (a) (foo)  →  sum by (a) (foo)
        sum by (a, b,) (foo)  →  sum by (a, b) (foo)
        sum(foo) by (a)  →  sum by (a) (foo)
        sum(foo) by ()  →  sum(foo)
        sum by () (foo)  →  sum(foo)
        sum without () (foo)  →  sum without () (foo)
        sum(foo) without (a)  →  sum without (a) (foo)
        sum without ("a.b", c) (foo)  →  sum without ("a.b", c) (foo)
        sum by ("a") (foo)  →  sum by (a) (foo)
        sum by (sum, by, group_left, offset, ON) (foo)  →  sum by (sum, by, group_left, offset, ON) (foo)
        topk(5, foo)  →  topk(5, foo)
        topk by (a) (5, foo)  →  topk by (a) (5, foo)
        bottomk(scalar(foo), bar) by (a)  →  bottomk by (a) (scalar(foo), bar)
        quantile(0.9, foo)  →  quantile(0.9, foo)
        count_values("a", foo)  →  count_values("a", foo)
        count_values without (b) ("a", foo)  →  count_values without (b) ("a", foo)
        avg(sum by (a) (rate(foo[5m])))  →  avg(sum by (a) (rate(foo[5m])))
        group(foo)  →  group(foo)
        stddev(foo) + stdvar(foo)  →  stddev(foo) + stdvar(foo)
        min(foo) > max(bar)  →  min(foo) > max(bar)
        count(foo) / count(bar)  →  count(foo) / count(bar)
        limitk(2, foo)  →  limitk(2, foo)
        limit_ratio(-0.5, foo)  →  limit_ratio(-0.5, foo)
        sum((foo))  →  sum((foo))
        """#

    /// Functions
    static let functions = #"""
        time()  →  time()
        pi() * 2  →  pi() * 2
        vector(1)  →  vector(1)
        scalar(foo) + 1  →  scalar(foo) + 1
        abs(foo)  →  abs(foo)
        round(foo)  →  round(foo)
        round(foo, 0.1)  →  round(foo, 0.1)
        clamp(foo, 0, 1)  →  clamp(foo, 0, 1)
        rate(foo[5m])  →  rate(foo[5m])
        rate(foo[5m:1m])  →  rate(foo[5m:1m])
        irate(foo{a="b"}[1m] offset 5m)  →  irate(foo{a="b"}[1m] offset 5m)
        histogram_quantile(0.9, sum by (le) (rate(foo_bucket[5m])))  →  histogram_quantile(0.9, sum by (le) (rate(foo_bucket[5m])))
        label_replace(foo, "a", "$1", "b", "(.*)")  →  label_replace(foo, "a", "$1", "b", "(.*)")
        label_join(foo, "a", ",")  →  label_join(foo, "a", ",")
        label_join(foo, "a", ",", "b", "c")  →  label_join(foo, "a", ",", "b", "c")
        minute()  →  minute()
        hour(foo)  →  hour(foo)
        days_in_month(vector(time()))  →  days_in_month(vector(time()))
        absent(foo{a="b"})  →  absent(foo{a="b"})
        absent_over_time(foo[5m])  →  absent_over_time(foo[5m])
        predict_linear(foo[1h], 4 * 3600)  →  predict_linear(foo[1h], 4 * 3600)
        quantile_over_time(0.5, foo[5m])  →  quantile_over_time(0.5, foo[5m])
        sort_desc(foo)  →  sort_desc(foo)
        sort_by_label(foo, "a", "b")  →  sort_by_label(foo, "a", "b")
        sort_by_label(foo)  →  sort_by_label(foo)
        info(foo)  →  info(foo)
        info(foo, {a="b"})  →  info(foo, {a="b"})
        info(foo, {a=""})  →  info(foo, {a=""})
        double_exponential_smoothing(foo[5m], 0.5, 0.5)  →  double_exponential_smoothing(foo[5m], 0.5, 0.5)
        timestamp(foo @ 5)  →  timestamp(foo @ 5.000)
        last_over_time(foo[5m]) - first_over_time(foo[5m])  →  last_over_time(foo[5m]) - first_over_time(foo[5m])
        mad_over_time(foo[1h])  →  mad_over_time(foo[1h])
        """#

    /// Comments and space
    static let commentsAndSpace = #"""
        foo # a comment  →  foo
        # first␤foo  →  foo
        sum( # open␤foo # inner␤) # close  →  sum(foo)
        foo{ # a␤a="b" # c␤}  →  foo{a="b"}
        ␉ foo ␤␍  →  foo
        foo[5m # x␤]  →  foo[5m]
        """#

    /// Later additions of the language
    static let laterAdditionsOfTheLanguage = #"""
        foo[step()]  →  foo[step()]
        foo[ STEP ( ) ]  →  foo[step()]
        foo[-step()+5m]  →  foo[-step() + 5m]
        foo[5m + 3]  →  foo[5m + 3]
        foo[5m*2]  →  foo[5m * 2]
        foo[(5m)]  →  foo[(5m)]
        foo[((5m))]  →  foo[(5m)]
        foo[((5m+3))*2]  →  foo[(5m + 3) * 2]
        foo[1m ^ 2 ^ 3]  →  foo[1m ^ 2 ^ 3]
        foo[5m - 3m - 1m]  →  foo[5m - 3m - 1m]
        foo[5m - (3m - 1m)]  →  foo[5m - (3m - 1m)]
        foo[-(-5m)]  →  foo[-(-5m)]
        foo[- -5m]  →  foo[5m]
        foo[+5m]  →  foo[5m]
        foo[+step()]  →  foo[step()]
        foo[min_of(step(), 5m)]  →  foo[min_of(step(), 5m)]
        foo[max_of(range(), min_of(1m, 2m)):step()]  →  foo[max_of(range(), min_of(1m, 2m)):step()]
        foo[5m:1m + 1m]  →  foo[5m:1m + 1m]
        foo[5m / 2:]  →  foo[5m / 2:]
        foo[2 ^ -1]  →  foo[2 ^ -1]
        foo[-2 ^ 2]  →  foo[-2 ^ 2]
        foo offset step()  →  foo offset step()
        foo offset -range()  →  foo offset -range()
        foo offset -min_of(1m, 2m)  →  foo offset -min_of(1m, 2m)
        foo offset (5m)  →  foo offset (5m)
        foo offset +(5m) + 3  →  foo offset +(5m) + 3
        foo offset +-5m + 3  →  foo offset (-5m + 3)
        foo offset (5m) + 3  →  foo offset (5m) + 3
        foo offset -(5m) + 3  →  foo offset -(5m) + 3
        foo offset (5m + 3) * 2  →  foo offset (5m + 3) * 2
        foo offset --5m  →  foo offset 5m
        foo offset step() + 1  →  foo offset step() + 1
        foo[5m] offset -(step() * 2)  →  foo[5m] offset -(step() * 2)
        foo[5m:1m] offset max_of(step(), 1m)  →  foo[5m:1m] offset max_of(step(), 1m)
        foo + fill(0) bar  →  foo + fill (0) bar
        foo + fill (-1.5) bar  →  foo + fill (-1.5) bar
        foo + fill_left(1) bar  →  foo + fill_left (1) bar
        foo + fill_right(2) fill_left(1) bar  →  foo + fill_left (1) fill_right (2) bar
        foo + fill_left(1) fill_right(1) bar  →  foo + fill (1) bar
        foo - on(a) group_left(b) fill_right(NaN) bar  →  foo - on (a) group_left (b) fill_right (NaN) bar
        foo == bool ignoring(a) fill(1e6) bar  →  foo == bool ignoring (a) fill (1e+06) bar
        foo + fill  →  foo + fill
        foo anchored  →  foo anchored
        foo[5m] anchored  →  foo[5m] anchored
        foo smoothed offset 5m  →  foo smoothed offset 5m
        foo[5m] smoothed @ 5 offset 5m  →  foo[5m] smoothed @ 5.000 offset 5m
        foo offset 5m anchored  →  foo anchored offset 5m
        foo anchored[5m]  →  foo[5m] anchored
        foo </ 5  →  foo </ 5
        foo >/ bar  →  foo >/ bar
        foo </ 5 >/ 1  →  foo </ 5 >/ 1
        start()  →  start()
        end() - start()  →  end() - start()
        step() * 2  →  step() * 2
        range()  →  range()
        max_of(1, 2)  →  max_of(1, 2)
        min_of(step(), 5m)  →  min_of(step(), 5m)
        START  →  START
        histogram_quantiles(foo, "q", 0.5, 0.9)  →  histogram_quantiles(foo, "q", 0.5, 0.9)
        foo >/ 2 == 3  →  foo >/ 2 == 3
        """#
}
