/// Queries that do not parse and the errors they get: `query  →  line:column: parse error: text`. Control characters are
/// drawn (`␤`, `␉`, `␍`). Texts and positions were held against Prometheus 3.5.3, and against 3.14 where that knows more.
enum ParserErrorTable {
    static let all = [
        nothingAndUnfinished, characters, numbers, strings, braces, brackets, offsetsAnd, aggregations, functions,
        binaryOperators, linesAndComments, laterAdditionsOfTheLanguage,
    ]

    /// Nothing and unfinished
    static let nothingAndUnfinished = #"""
          →  unknown position: parse error: no expression found in input
        # only a comment  →  1:1: parse error: no expression found in input
        +  →  1:2: parse error: unexpected end of input
        -  →  1:2: parse error: unexpected end of input
        (  →  1:2: parse error: unclosed left parenthesis
        )  →  1:2: parse error: unexpected right parenthesis ')'
        ()  →  1:2: parse error: unexpected ")"
        (foo  →  1:5: parse error: unclosed left parenthesis
        foo)  →  1:5: parse error: unexpected right parenthesis ')'
        ((foo)  →  1:7: parse error: unclosed left parenthesis
        (foo))  →  1:7: parse error: unexpected right parenthesis ')'
        foo bar  →  1:5: parse error: unexpected identifier "bar"
        foo 5  →  1:5: parse error: unexpected number "5"
        foo "bar"  →  1:5: parse error: unexpected string "\"bar\""
        5 5  →  1:3: parse error: unexpected number "5"
        "a" "b"  →  1:5: parse error: unexpected string "\"b\""
        foo,  →  1:4: parse error: unexpected ","
        ,foo  →  1:1: parse error: unexpected ","
        foo +   →  1:7: parse error: unexpected end of input
        foo + +   →  1:9: parse error: unexpected end of input
        foo ==   →  1:8: parse error: unexpected end of input
        * foo  →  1:1: parse error: unexpected <op:*>
        / 2  →  1:1: parse error: unexpected <op:/>
        ^ 2  →  1:1: parse error: unexpected <op:^>
        == 1  →  1:1: parse error: unexpected <op:==>
        1 + * 2  →  1:5: parse error: unexpected <op:*>
        foo and  →  1:8: parse error: unexpected end of input
        foo or or or  →  1:13: parse error: unexpected end of input
        foo unless unless 5  →  1:19: parse error: unexpected number "5"
        foo atan2  →  1:10: parse error: unexpected end of input
        atan2 foo  →  1:1: parse error: unexpected <op:atan2>
        on  →  1:1: parse error: unexpected <on>
        bool  →  1:1: parse error: unexpected <bool>
        group_left  →  1:1: parse error: unexpected <group_left>
        ignoring (a) foo  →  1:1: parse error: unexpected <ignoring>
        """#

    /// Characters
    static let characters = #"""
        ~  →  1:1: parse error: unexpected character: '~'
        $foo  →  1:1: parse error: unexpected character: '$'
        foo ! bar  →  1:5: parse error: unexpected character after '!': ' '
        foo!  →  1:4: parse error: unexpected character after '!': '�'
        foo !~ bar  →  1:5: parse error: unexpected character after '!': '~'
        foo =~ "x"  →  1:5: parse error: unexpected character after '=': '~'
        foo = 5  →  1:5: parse error: unexpected "="
        foo & bar  →  1:5: parse error: unexpected character: '&'
        foo | bar  →  1:5: parse error: unexpected character: '|'
        foo;  →  1:4: parse error: unexpected character: ';'
        foo?  →  1:4: parse error: unexpected character: '?'
        foo€  →  1:4: parse error: unexpected character: '€'
        é  →  1:1: parse error: unexpected character: 'é'
        foo\bar  →  1:4: parse error: unexpected character: '\\'
        a.b  →  1:2: parse error: unexpected character: '.'
        ..  →  1:1: parse error: unexpected character: '.'
        .  →  1:1: parse error: unexpected character: '.'
        foo..  →  1:4: parse error: unexpected character: '.'
        """#

    /// Numbers
    static let numbers = #"""
        1.2.3  →  1:1: parse error: bad number or duration syntax: "1.2."
        1..2  →  1:1: parse error: bad number or duration syntax: "1.."
        0x  →  1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax
        0xg  →  1:1: parse error: bad number or duration syntax: "0x"
        0x1.8p1  →  1:1: parse error: bad number or duration syntax: "0x1."
        1e  →  1:1: parse error: bad number or duration syntax: "1e"
        1e+  →  1:1: parse error: bad number or duration syntax: "1e+"
        1e400  →  1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range
        -1e999  →  1:2: parse error: error parsing number: strconv.ParseFloat: parsing "1e999": value out of range
        1__0  →  1:1: parse error: bad number or duration syntax: "1__"
        1_  →  1:1: parse error: bad number or duration syntax: "1_"
        1_   →  1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1_": invalid syntax
        1_.5  →  1:1: parse error: bad number or duration syntax: "1_."
        _1 _  →  1:4: parse error: unexpected identifier "_"
        5x  →  1:1: parse error: bad number or duration syntax: "5"
        5mm  →  1:1: parse error: bad number or duration syntax: "5mm"
        5hs  →  1:1: parse error: unknown unit "hs" in duration "5hs"
        5ms5h  →  1:1: parse error: not a valid duration string: "5ms5h"
        1y1y  →  1:1: parse error: bad number or duration syntax: "1y1"
        1h1d  →  1:1: parse error: not a valid duration string: "1h1d"
        2w3y  →  1:1: parse error: bad number or duration syntax: "2w3"
        5m5  →  1:1: parse error: bad number or duration syntax: "5m5"
        1d2  →  1:1: parse error: bad number or duration syntax: "1d2"
        300y  →  1:1: parse error: duration out of range
        0b101  →  1:1: parse error: bad number or duration syntax: "0"
        0o17  →  1:1: parse error: bad number or duration syntax: "0"
        1ee5  →  1:1: parse error: bad number or duration syntax: "1ee"
        1e5.5  →  1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e5.5": invalid syntax
        0xFFFFFFFFFFFFFFFFF  →  1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0xFFFFFFFFFFFFFFFFF": invalid syntax
        """#

    /// Strings
    static let strings = #"""
        "abc  →  1:1: parse error: unterminated quoted string
        'abc  →  1:1: parse error: unterminated quoted string
        `abc  →  1:1: parse error: unterminated raw string
        "abc'  →  1:1: parse error: unterminated quoted string
        "a\q"  →  1:1: parse error: unknown escape sequence U+0071 'q'
        "a\  →  1:1: parse error: escape sequence not terminated
        "\x4"  →  1:1: parse error: illegal character U+0022 '"' in escape sequence
        "\xg1"  →  1:1: parse error: illegal character U+0067 'g' in escape sequence
        "\u12"  →  1:1: parse error: illegal character U+0022 '"' in escape sequence
        "\u12g4"  →  1:1: parse error: illegal character U+0067 'g' in escape sequence
        "\U00110000"  →  1:1: parse error: escape sequence is an invalid Unicode code point
        "\ud800"  →  1:1: parse error: escape sequence is an invalid Unicode code point
        "\400"  →  1:1: parse error: escape sequence is an invalid Unicode code point
        "\08"  →  1:1: parse error: illegal character U+0038 '8' in escape sequence
        '\"'  →  1:1: parse error: unknown escape sequence U+0022 '"'
        "\'"  →  1:1: parse error: unknown escape sequence U+0027 '''
        """#

    /// Braces
    static let braces = #"""
        {  →  1:2: parse error: unexpected end of input inside braces
        }  →  1:1: parse error: unexpected character: '}'
        foo{  →  1:5: parse error: unexpected end of input inside braces
        foo}  →  1:4: parse error: unexpected character: '}'
        foo{a  →  1:6: parse error: unexpected end of input inside braces
        foo{a=  →  1:7: parse error: unexpected end of input inside braces
        foo{a="b"  →  1:10: parse error: unexpected end of input inside braces
        foo{a="b",  →  1:11: parse error: unexpected end of input inside braces
        foo{a="b"}}  →  1:11: parse error: unexpected character: '}'
        foo{{a="b"}}  →  1:5: parse error: unexpected left brace '{'
        foo{a}  →  1:6: parse error: unexpected "}" in label matching, expected label matching operator
        foo{a=}  →  1:7: parse error: unexpected "}" in label matching, expected string
        foo{a=b}  →  1:7: parse error: unexpected identifier "b" in label matching, expected string
        foo{a=="b"}  →  1:7: parse error: unexpected "=" in label matching, expected string
        foo{a!"b"}  →  1:6: parse error: unexpected character after '!' inside braces: '"'
        foo{a!b="c"}  →  1:6: parse error: unexpected character after '!' inside braces: 'b'
        foo{a<"b"}  →  1:6: parse error: unexpected character inside braces: '<'
        foo{"a"="b" "c"}  →  1:13: parse error: unexpected string "\"c\"" in label matching, expected "," or "}"
        foo{a="b" c="d"}  →  1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"
        foo{a="b",,c="d"}  →  1:11: parse error: unexpected "," in label matching, expected identifier or "}"
        foo{,a="b"}  →  1:5: parse error: unexpected "," in label matching, expected identifier or "}"
        foo{,}  →  1:5: parse error: unexpected "," in label matching, expected identifier or "}"
        foo{a="b";c="d"}  →  1:10: parse error: unexpected character inside braces: ';'
        foo{5="b"}  →  1:5: parse error: unexpected character inside braces: '5'
        foo{a:b="c"}  →  1:6: parse error: unexpected character inside braces: ':'
        foo{a=5}  →  1:7: parse error: unexpected character inside braces: '5'
        foo{"a"=}  →  1:9: parse error: unexpected "}" in label matching, expected string
        foo{a="b"="c"}  →  1:10: parse error: unexpected "=" in label matching, expected "," or "}"
        {}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {a=~".*"}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {a=~"b|",c!~".+"}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        foo{a=~"["}  →  1:5: parse error: error parsing regexp: missing closing ]: `[`
        foo{a!~"(b"}  →  1:5: parse error: error parsing regexp: missing closing ): `(b`
        {a=""}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {a!="b"}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {a!~"b"}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {a="",b!="c"}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        {__name__=""}  →  1:1: parse error: vector selector must contain at least one non-empty matcher
        foo{__name__="bar"}  →  1:1: parse error: metric name must not be set twice: "foo" or "bar"
        foo{"bar"}  →  1:1: parse error: metric name must not be set twice: "foo" or "bar"
        foo{a="b",__name__!="bar"}  →  1:1: parse error: metric name must not be set twice: "foo" or "bar"
        {a="b"}{c="d"}  →  1:8: parse error: unexpected "{"
        foo{a="b"}{c="d"}  →  1:11: parse error: unexpected "{"
        {"foo","bar"  →  1:13: parse error: unexpected end of input inside braces
        """#

    /// Brackets
    static let brackets = #"""
        [5m]  →  1:1: parse error: unexpected "["
        foo[  →  1:5: parse error: unexpected end of input in duration expression
        foo[]  →  1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()
        foo[5m  →  1:7: parse error: unclosed left bracket
        foo[5m]]  →  1:8: parse error: unexpected right bracket ']'
        foo[[5m]]  →  1:5: parse error: unexpected character in duration expression: '['
        foo[5m][5m]  →  1:8: parse error: ranges only allowed for vector selectors
        foo[5m:1m][5m]  →  1:11: parse error: ranges only allowed for vector selectors
        foo[bar]  →  1:5: parse error: unexpected character in duration expression: 'b'
        foo["5m"]  →  1:5: parse error: unexpected character in duration expression: '"'
        foo[:]  →  1:6: parse error: unexpected colon before duration in duration expression
        foo[:5m]  →  1:6: parse error: unexpected colon before duration in duration expression
        foo[5m::]  →  1:8: parse error: unexpected colon ':'
        foo[5m:1m:1m]  →  1:10: parse error: unexpected colon ':'
        foo[5m 5m]  →  1:8: parse error: unexpected duration "5m" in subquery or range, expected ":" or "]"
        foo[5m,5m]  →  1:7: parse error: unexpected "," in subquery or range, expected ":" or "]"
        foo[5m:1m 1m]  →  1:11: parse error: unexpected duration "1m" in subquery selector, expected "]"
        foo[0]  →  1:5: parse error: duration must be greater than 0
        foo[0s]  →  1:5: parse error: duration must be greater than 0
        foo[-5m]  →  1:5: parse error: duration must be greater than 0
        foo[5m:0]  →  1:8: parse error: duration must be greater than 0
        foo[5m:-1m]  →  1:8: parse error: duration must be greater than 0
        foo[5m+]  →  1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()
        foo[5m*]  →  1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()
        foo[(5m]  →  1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()
        foo[5m)]  →  1:8: parse error: unexpected right parenthesis ')'
        foo[1/0]  →  1:6: parse error: division by zero
        foo[1%0]  →  1:6: parse error: modulo by zero
        foo[1e300]  →  1:5: parse error: duration out of range
        foo[5z]  →  1:5: parse error: bad number or duration syntax: "5"
        foo[5m:x]  →  1:8: parse error: unexpected character: 'x', expected ':'
        foo[sum(5m)]  →  1:5: parse error: unexpected character in duration expression: 's'
        5[5m]  →  1:2: parse error: ranges only allowed for vector selectors
        "s"[5m]  →  1:4: parse error: ranges only allowed for vector selectors
        sum(foo)[5m]  →  1:9: parse error: ranges only allowed for vector selectors
        (foo)[5m]  →  1:6: parse error: ranges only allowed for vector selectors
        foo offset 5m[5m]  →  1:14: parse error: no offset modifiers allowed before range
        foo @ 5 [5m]  →  1:9: parse error: no @ modifiers allowed before range
        foo[5m] offset 5m [5m]  →  1:19: parse error: ranges only allowed for vector selectors
        -foo[5m]  →  1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"
        foo[5m] + 1  →  1:1: parse error: binary expression must contain only scalar and instant vector types
        1 + foo[5m]  →  1:5: parse error: binary expression must contain only scalar and instant vector types
        foo[5m] and bar  →  1:1: parse error: binary expression must contain only scalar and instant vector types
        foo[5m:1m]:1m  →  1:11: parse error: unexpected metric identifier ":1m"
        foo[5m#  →  1:8: parse error: unclosed left bracket
        foo [5m] {a="b"}  →  1:10: parse error: unexpected "{"
        """#

    /// Offsets and @
    static let offsetsAnd = #"""
        foo offset  →  1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()
        foo offset bar  →  1:12: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()
        foo offset "5m"  →  1:12: parse error: unexpected string "\"5m\"" in offset, expected number, duration, step(), or range()
        foo offset -  →  1:13: parse error: unexpected end of input in offset, expected number, duration, step(), or range()
        foo offset -bar  →  1:13: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()
        foo offset 5m offset 5m  →  1:1: parse error: offset may not be set multiple times
        foo offset 1h30  →  1:12: parse error: bad number or duration syntax: "1h30"
        foo offset 5m5m5m  →  1:12: parse error: not a valid duration string: "5m5m5m"
        foo offset (5m  →  1:15: parse error: unclosed left parenthesis
        foo offset ()  →  1:13: parse error: unexpected ")" in offset, expected number, duration, step(), or range()
        foo offset 1e300  →  1:12: parse error: duration out of range
        foo offset -1e300  →  1:12: parse error: duration out of range
        (foo) offset 5m  →  1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery
        sum(foo) offset 5m  →  1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery
        5 offset 5m  →  1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery
        -foo offset  →  1:12: parse error: unexpected end of input in offset, expected number, duration, step(), or range()
        foo[5m:1m] offset 5m offset 5m  →  1:1: parse error: offset may not be set multiple times
        foo @  →  1:6: parse error: unexpected end of input in @, expected timestamp
        foo @ bar  →  1:7: parse error: unexpected identifier "bar" in @, expected timestamp
        foo @ "5"  →  1:7: parse error: unexpected string "\"5\"" in @, expected timestamp
        foo @ start  →  1:12: parse error: unexpected end of input in @, expected timestamp
        foo @ start(  →  1:13: parse error: unclosed left parenthesis
        foo @ start(5)  →  1:13: parse error: unexpected number "5" in @, expected timestamp
        foo @ middle()  →  1:7: parse error: unexpected identifier "middle" in @, expected timestamp
        foo @ -  →  1:8: parse error: unexpected end of input in @, expected timestamp
        foo @ (5)  →  1:7: parse error: unexpected "(" in @, expected timestamp
        foo @ 1 @ 2  →  1:1: parse error: @ <timestamp> may not be set multiple times
        foo @ start() @ end()  →  1:1: parse error: @ <timestamp> may not be set multiple times
        foo @ inf  →  1:1: parse error: timestamp out of bounds for @ modifier: +Inf
        foo @ -inf  →  1:1: parse error: timestamp out of bounds for @ modifier: -Inf
        foo @ NaN  →  1:1: parse error: timestamp out of bounds for @ modifier: NaN
        foo @ 1e30  →  1:1: parse error: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000
        foo @ -1e19  →  1:1: parse error: timestamp out of bounds for @ modifier: -10000000000000000000.000000
        (foo) @ 5  →  1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery
        sum(foo) @ 5  →  1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery
        1 @ 5  →  1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery
        offset 5m  →  1:8: parse error: unexpected duration "5m"
        @ 5  →  1:1: parse error: unexpected <op:@>
        """#

    /// Aggregations
    static let aggregations = #"""
        sum()  →  1:1: parse error: no arguments for aggregate expression provided
        sum(  →  1:5: parse error: unclosed left parenthesis
        sum(foo  →  1:8: parse error: unclosed left parenthesis
        sum(foo,)  →  1:8: parse error: trailing commas not allowed in function call args
        sum(foo, bar)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2
        sum(,foo)  →  1:5: parse error: unexpected "," in aggregation
        sum foo  →  1:5: parse error: unexpected identifier "foo"
        sum by foo  →  1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("
        sum by (a  →  1:10: parse error: unclosed left parenthesis
        sum by (a) foo  →  1:12: parse error: unexpected identifier "foo" in aggregation
        sum by (a)  →  1:11: parse error: unexpected end of input in aggregation
        sum by  →  1:7: parse error: unexpected end of input in grouping opts, expected "("
        sum by ()  →  1:10: parse error: unexpected end of input in aggregation
        sum by (a b) (foo)  →  1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"
        sum by (a,,b) (foo)  →  1:11: parse error: unexpected "," in grouping opts, expected label
        sum by (,a) (foo)  →  1:9: parse error: unexpected "," in grouping opts, expected label
        sum by (5) (foo)  →  1:9: parse error: unexpected number "5" in grouping opts, expected label
        sum by (a.b) (foo)  →  1:10: parse error: unexpected character: '.'
        sum by ("") (foo)  →  1:9: parse error: invalid label name for grouping: ""
        sum by (without) (foo)  →  1:9: parse error: unexpected <without> in grouping opts, expected label
        sum by (inf) (foo)  →  1:9: parse error: unexpected number "inf" in grouping opts, expected label
        sum by (a)(foo) by (b)  →  1:17: parse error: unexpected <by>
        sum(foo) by  →  1:12: parse error: unexpected end of input in grouping opts, expected "("
        sum(foo) by a  →  1:13: parse error: unexpected identifier "a" in grouping opts, expected "("
        sum(foo) by (a  →  1:15: parse error: unclosed left parenthesis
        sum(foo) by (a) by (b)  →  1:17: parse error: unexpected <by>
        sum(foo) without  →  1:17: parse error: unexpected end of input in grouping opts, expected "("
        sum(5)  →  1:5: parse error: expected type instant vector in aggregation expression, got scalar
        sum("a")  →  1:5: parse error: expected type instant vector in aggregation expression, got string
        sum(foo[5m])  →  1:5: parse error: expected type instant vector in aggregation expression, got range vector
        sum(foo + )  →  1:11: parse error: unexpected ")" in aggregation
        sum(foo bar)  →  1:9: parse error: unexpected identifier "bar" in aggregation
        sum(foo == )  →  1:12: parse error: unexpected ")" in aggregation
        sum(1 + foo[5m])  →  1:9: parse error: binary expression must contain only scalar and instant vector types
        avg((foo)  →  1:10: parse error: unclosed left parenthesis
        topk(foo)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        topk()  →  1:1: parse error: no arguments for aggregate expression provided
        topk(5)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        topk(5, )  →  1:7: parse error: trailing commas not allowed in function call args
        topk(5, foo, bar)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 3
        topk(foo, bar)  →  1:6: parse error: expected type scalar in aggregation parameter, got instant vector
        topk("5", foo)  →  1:6: parse error: expected type scalar in aggregation parameter, got string
        topk(5, 5)  →  1:9: parse error: expected type instant vector in aggregation expression, got scalar
        quantile(foo, foo)  →  1:10: parse error: expected type scalar in aggregation parameter, got instant vector
        quantile("0.9", foo)  →  1:10: parse error: expected type scalar in aggregation parameter, got string
        count_values(5, foo)  →  1:14: parse error: expected type string in aggregation parameter, got scalar
        count_values(foo, foo)  →  1:14: parse error: expected type string in aggregation parameter, got instant vector
        count_values("a")  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        count_values("a", "b")  →  1:19: parse error: expected type instant vector in aggregation expression, got string
        bottomk(foo[5m], foo)  →  1:9: parse error: expected type scalar in aggregation parameter, got range vector
        stddev(foo, 5)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2
        group(foo, foo)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2
        min(1)  →  1:5: parse error: expected type instant vector in aggregation expression, got scalar
        max(time())  →  1:5: parse error: expected type instant vector in aggregation expression, got scalar
        """#

    /// Functions
    static let functions = #"""
        bar()  →  1:1: parse error: unknown function with name "bar"
        bar(foo)  →  1:1: parse error: unknown function with name "bar"
        Rate(foo[5m])  →  1:1: parse error: unknown function with name "Rate"
        rate(  →  1:6: parse error: unclosed left parenthesis
        rate()  →  1:1: parse error: expected 1 argument(s) in call to "rate", got 0
        rate(foo)  →  1:6: parse error: expected type range vector in call to function "rate", got instant vector
        rate(5)  →  1:6: parse error: expected type range vector in call to function "rate", got scalar
        rate("a")  →  1:6: parse error: expected type range vector in call to function "rate", got string
        rate(foo[5m],)  →  1:13: parse error: trailing commas not allowed in function call args
        rate(foo[5m], 5)  →  1:1: parse error: expected 1 argument(s) in call to "rate", got 2
        rate(foo[5m] foo[5m])  →  1:14: parse error: unexpected identifier "foo"
        rate(sum(foo))  →  1:6: parse error: expected type range vector in call to function "rate", got instant vector
        rate(rate(foo[5m]))  →  1:6: parse error: expected type range vector in call to function "rate", got instant vector
        rate(foo[5m]  →  1:13: parse error: unclosed left parenthesis
        rate(foo[5m]))  →  1:15: parse error: unexpected right parenthesis ')'
        rate((foo)[5m])  →  1:11: parse error: ranges only allowed for vector selectors
        rate(foo{a="b}[5m])  →  1:12: parse error: unterminated quoted string
        sum(rat(foo[5m]))  →  1:5: parse error: unknown function with name "rat"
        abs()  →  1:1: parse error: expected 1 argument(s) in call to "abs", got 0
        abs(5)  →  1:5: parse error: expected type instant vector in call to function "abs", got scalar
        abs(foo, foo)  →  1:1: parse error: expected 1 argument(s) in call to "abs", got 2
        abs(foo[5m])  →  1:5: parse error: expected type instant vector in call to function "abs", got range vector
        abs("a")  →  1:5: parse error: expected type instant vector in call to function "abs", got string
        absent(5)  →  1:8: parse error: expected type instant vector in call to function "absent", got scalar
        absent_over_time(foo)  →  1:18: parse error: expected type range vector in call to function "absent_over_time", got instant vector
        clamp(foo)  →  1:1: parse error: expected 3 argument(s) in call to "clamp", got 1
        clamp(foo, 1)  →  1:1: parse error: expected 3 argument(s) in call to "clamp", got 2
        clamp(foo, 1, foo)  →  1:15: parse error: expected type scalar in call to function "clamp", got instant vector
        clamp(foo, 1, 2, 3)  →  1:1: parse error: expected 3 argument(s) in call to "clamp", got 4
        clamp_min(foo, foo)  →  1:16: parse error: expected type scalar in call to function "clamp_min", got instant vector
        clamp_max(5, foo)  →  1:11: parse error: expected type instant vector in call to function "clamp_max", got scalar
        round()  →  1:1: parse error: expected at least 1 argument(s) in call to "round", got 0
        round(foo, 1, 2)  →  1:1: parse error: expected at most 2 argument(s) in call to "round", got 3
        round(5)  →  1:7: parse error: expected type instant vector in call to function "round", got scalar
        round(foo, foo)  →  1:12: parse error: expected type scalar in call to function "round", got instant vector
        time(5)  →  1:1: parse error: expected 0 argument(s) in call to "time", got 1
        time(foo)  →  1:1: parse error: expected 0 argument(s) in call to "time", got 1
        pi(1)  →  1:1: parse error: expected 0 argument(s) in call to "pi", got 1
        vector(foo)  →  1:8: parse error: expected type scalar in call to function "vector", got instant vector
        vector()  →  1:1: parse error: expected 1 argument(s) in call to "vector", got 0
        vector("a")  →  1:8: parse error: expected type scalar in call to function "vector", got string
        scalar(5)  →  1:8: parse error: expected type instant vector in call to function "scalar", got scalar
        scalar(foo, foo)  →  1:1: parse error: expected 1 argument(s) in call to "scalar", got 2
        minute(5)  →  1:8: parse error: expected type instant vector in call to function "minute", got scalar
        minute(foo, foo)  →  1:1: parse error: expected at most 1 argument(s) in call to "minute", got 2
        hour(foo[5m])  →  1:6: parse error: expected type instant vector in call to function "hour", got range vector
        year("a")  →  1:6: parse error: expected type instant vector in call to function "year", got string
        days_in_month(time())  →  1:15: parse error: expected type instant vector in call to function "days_in_month", got scalar
        histogram_quantile(foo, foo)  →  1:20: parse error: expected type scalar in call to function "histogram_quantile", got instant vector
        histogram_quantile(0.9)  →  1:1: parse error: expected 2 argument(s) in call to "histogram_quantile", got 1
        histogram_quantile(0.9, foo[5m])  →  1:25: parse error: expected type instant vector in call to function "histogram_quantile", got range vector
        histogram_quantile(0.9, foo, 5)  →  1:1: parse error: expected 2 argument(s) in call to "histogram_quantile", got 3
        histogram_fraction(0, foo)  →  1:1: parse error: expected 3 argument(s) in call to "histogram_fraction", got 2
        histogram_avg(5)  →  1:15: parse error: expected type instant vector in call to function "histogram_avg", got scalar
        label_replace(foo)  →  1:1: parse error: expected 5 argument(s) in call to "label_replace", got 1
        label_replace(foo, "a", "b", "c")  →  1:1: parse error: expected 5 argument(s) in call to "label_replace", got 4
        label_replace(foo, "a", "b", "c", d)  →  1:35: parse error: expected type string in call to function "label_replace", got instant vector
        label_replace(foo, "a", "b", "c", "d", "e")  →  1:1: parse error: expected 5 argument(s) in call to "label_replace", got 6
        label_replace("foo", "a", "b", "c", "d")  →  1:15: parse error: expected type instant vector in call to function "label_replace", got string
        label_join(foo, "a")  →  1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2
        label_join(foo)  →  1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1
        label_join(foo, "a", ",", 5)  →  1:27: parse error: expected type string in call to function "label_join", got scalar
        label_join(foo, "a", ",", "b", foo)  →  1:32: parse error: expected type string in call to function "label_join", got instant vector
        predict_linear(foo, 5)  →  1:16: parse error: expected type range vector in call to function "predict_linear", got instant vector
        predict_linear(foo[5m])  →  1:1: parse error: expected 2 argument(s) in call to "predict_linear", got 1
        predict_linear(foo[5m], foo)  →  1:25: parse error: expected type scalar in call to function "predict_linear", got instant vector
        quantile_over_time(foo[5m], 0.9)  →  1:20: parse error: expected type scalar in call to function "quantile_over_time", got range vector
        quantile_over_time(0.9, foo)  →  1:25: parse error: expected type range vector in call to function "quantile_over_time", got instant vector
        sort(5)  →  1:6: parse error: expected type instant vector in call to function "sort", got scalar
        sort_by_label(foo, 5)  →  1:20: parse error: expected type string in call to function "sort_by_label", got scalar
        sort_by_label("a")  →  1:15: parse error: expected type instant vector in call to function "sort_by_label", got string
        timestamp(5)  →  1:11: parse error: expected type instant vector in call to function "timestamp", got scalar
        deriv(foo)  →  1:7: parse error: expected type range vector in call to function "deriv", got instant vector
        changes("a")  →  1:9: parse error: expected type range vector in call to function "changes", got string
        mad_over_time(foo)  →  1:15: parse error: expected type range vector in call to function "mad_over_time", got instant vector
        double_exponential_smoothing(foo[5m], 0.5)  →  1:1: parse error: expected 3 argument(s) in call to "double_exponential_smoothing", got 2
        info()  →  1:1: parse error: expected at least 1 argument(s) in call to "info", got 0
        info(foo, bar)  →  1:11: parse error: expected label selectors only, got vector selector instead
        info(foo, 5)  →  1:1: parse error: expected type instant vector in call to function "info", got scalar
        info(foo, {a="b"}, foo)  →  1:1: parse error: expected at most 2 argument(s) in call to "info", got 3
        info(5)  →  1:6: parse error: expected type instant vector in call to function "info", got scalar
        """#

    /// Binary operators
    static let binaryOperators = #"""
        1 == 1  →  1:3: parse error: comparisons between scalars must use BOOL modifier
        1 > 2  →  1:3: parse error: comparisons between scalars must use BOOL modifier
        1 != bool  →  1:10: parse error: unexpected end of input
        1 and 2  →  1:1: parse error: set operator "and" not allowed in binary scalar expression
        1 or foo  →  1:1: parse error: set operator "or" not allowed in binary scalar expression
        foo unless 1  →  1:1: parse error: set operator "unless" not allowed in binary scalar expression
        foo and "a"  →  1:9: parse error: binary expression must contain only scalar and instant vector types
        "a" + "b"  →  1:1: parse error: binary expression must contain only scalar and instant vector types
        "a" == "b"  →  1:1: parse error: binary expression must contain only scalar and instant vector types
        foo + "a"  →  1:7: parse error: binary expression must contain only scalar and instant vector types
        foo + bool bar  →  1:5: parse error: bool modifier can only be used on comparison operators
        1 + bool 2  →  1:3: parse error: bool modifier can only be used on comparison operators
        foo and bool bar  →  1:5: parse error: bool modifier can only be used on comparison operators
        foo bool == bar  →  1:5: parse error: unexpected <bool>
        foo == bool bool bar  →  1:13: parse error: unexpected <bool>
        foo + on bar  →  1:10: parse error: unexpected identifier "bar" in grouping opts, expected "("
        foo + on (a  →  1:12: parse error: unclosed left parenthesis
        foo + on (a,  →  1:13: parse error: unclosed left parenthesis
        foo + on (a,)   →  1:15: parse error: unexpected end of input
        foo + on (a b) bar  →  1:13: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"
        foo + on (,) bar  →  1:11: parse error: unexpected "," in grouping opts, expected label
        foo + on (5) bar  →  1:11: parse error: unexpected number "5" in grouping opts, expected label
        foo + on(a) ignoring(b) bar  →  1:13: parse error: unexpected <ignoring>
        foo + on(a) 1  →  1:1: parse error: vector matching only allowed between instant vectors
        1 + on(a) foo  →  1:1: parse error: vector matching only allowed between instant vectors
        1 + ignoring(a) 2  →  1:1: parse error: vector matching only allowed between instant vectors
        foo + group_left bar  →  1:7: parse error: unexpected <group_left>
        foo + group_left(a) bar  →  1:7: parse error: unexpected <group_left>
        foo + on(a) group_left(a) bar  →  1:5: parse error: label "a" must not occur in ON and GROUP clause at once
        foo + on(a,b) group_right(c,b) bar  →  1:5: parse error: label "b" must not occur in ON and GROUP clause at once
        foo + on(a) group_left  →  1:23: parse error: unexpected end of input in grouping opts, expected "("
        foo + on(a) group_left (b  →  1:26: parse error: unclosed left parenthesis
        foo + on(a) group_left(b) group_right(c) bar  →  1:27: parse error: unexpected <group_right>
        foo and on(a) group_left bar  →  1:1: parse error: no grouping allowed for "and" operation
        foo or ignoring(a) group_right(b) bar  →  1:1: parse error: no grouping allowed for "or" operation
        foo unless on() group_left() bar  →  1:1: parse error: no grouping allowed for "unless" operation
        foo == on(a) bool bar  →  1:14: parse error: unexpected <bool>
        foo[5m] == bar  →  1:1: parse error: binary expression must contain only scalar and instant vector types
        foo == bar[5m:1m]  →  1:8: parse error: binary expression must contain only scalar and instant vector types
        -"a"  →  1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"
        +"a"  →  1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"
        -foo[5m]  →  1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"
        --foo[5m:1m]  →  1:2: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"
        !foo  →  1:1: parse error: unexpected character after '!': 'f'
        foo ^   →  1:7: parse error: unexpected end of input
        foo % % bar  →  1:7: parse error: unexpected <op:%>
        1 < foo[5m]  →  1:5: parse error: binary expression must contain only scalar and instant vector types
        1 < 2 < 3  →  1:3: parse error: comparisons between scalars must use BOOL modifier
        (1 < 2)  →  1:4: parse error: comparisons between scalars must use BOOL modifier
        foo > bool (1 == 1)  →  1:15: parse error: comparisons between scalars must use BOOL modifier
        """#

    /// Lines and comments
    static let linesAndComments = #"""
        foo␤+ bar +  →  2:8: parse error: unexpected end of input
        foo # comment␤ bar  →  2:2: parse error: unexpected identifier "bar"
        # one␤# two␤sum(  →  3:5: parse error: unclosed left parenthesis
        sum(␤  rate(foo)␤)  →  2:8: parse error: expected type range vector in call to function "rate", got instant vector
        foo{␤  a="b"␤  c="d"␤}  →  3:3: parse error: unexpected identifier "c" in label matching, expected "," or "}"
        sum by (␤ a,␤ b␤) (␤ foo[5m]␤)  →  5:2: parse error: expected type instant vector in aggregation expression, got range vector
        """#

    /// Later additions of the language
    static let laterAdditionsOfTheLanguage = #"""
        foo[step()  →  1:11: parse error: unexpected end of input in duration expression
        foo[step]  →  1:9: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()
        foo[step(5)]  →  1:10: parse error: unexpected number "5" in subquery or range selector, expected number, duration, step(), or range()
        foo[steps()]  →  1:5: parse error: unexpected character in duration expression: 's'
        foo[start()]  →  1:5: parse error: unexpected character in duration expression: 's'
        foo[max_of(5m)]  →  1:14: parse error: unexpected ")" in subquery or range selector, expected number, duration, step(), or range()
        foo[max_of(5m, )]  →  1:16: parse error: unexpected ")" in subquery or range selector, expected number, duration, step(), or range()
        foo[max_of()]  →  1:12: parse error: unexpected ")" in subquery or range selector, expected number, duration, step(), or range()
        foo[min_of(1,2,3)]  →  1:15: parse error: unexpected "," in subquery or range selector, expected number, duration, step(), or range()
        foo[5m + foo]  →  1:10: parse error: unexpected character: 'f', expected ':'
        foo offset step  →  1:16: parse error: unexpected end of input in offset, expected number, duration, step(), or range()
        foo offset end()  →  1:12: parse error: unexpected "end" in offset, expected number, duration, step(), or range()
        foo offset max_of(1)  →  1:20: parse error: unexpected ")" in offset, expected number, duration, step(), or range()
        foo offset -(5m  →  1:16: parse error: unclosed left parenthesis
        foo[5m:step(]  →  1:13: parse error: unexpected "]" in subquery selector, expected number, duration, step(), range(), or "]"
        foo + fill() bar  →  1:12: parse error: unexpected ")"
        foo + fill(bar) bar  →  1:12: parse error: unexpected identifier "bar"
        foo + fill(1 bar  →  1:14: parse error: unexpected identifier "bar"
        foo + fill(1) fill(2) bar  →  1:19: parse error: unexpected "("
        foo + fill_left(1) fill_left(2) bar  →  1:29: parse error: unexpected "("
        foo + fill(1) 2  →  1:1: parse error: filling in missing series only allowed between instant vectors
        foo and fill(0) bar  →  1:1: parse error: filling in missing series not allowed for set operators
        1 + fill(1) 2  →  1:1: parse error: filling in missing series only allowed between instant vectors
        foo anchored smoothed  →  1:1: parse error: anchored and smoothed modifiers cannot be used together
        foo[5m] smoothed anchored  →  1:1: parse error: anchored and smoothed modifiers cannot be used together
        foo[5m:1m] anchored  →  1:1: parse error: anchored modifier is not supported for subqueries
        foo[5m:1m] smoothed  →  1:1: parse error: smoothed modifier is not supported for subqueries
        sum(foo) anchored  →  1:1: parse error: anchored modifier not implemented
        5 smoothed  →  1:1: parse error: smoothed modifier not implemented
        start(5)  →  1:1: parse error: expected 0 argument(s) in call to "start", got 1
        end(foo)  →  1:1: parse error: expected 0 argument(s) in call to "end", got 1
        step(1)  →  1:1: parse error: expected 0 argument(s) in call to "step", got 1
        max_of(1)  →  1:1: parse error: expected 2 argument(s) in call to "max_of", got 1
        max_of(foo, 1)  →  1:8: parse error: expected type scalar in call to function "max_of", got instant vector
        max_of(1, 2, 3)  →  1:1: parse error: expected 2 argument(s) in call to "max_of", got 3
        min_of("a", 1)  →  1:8: parse error: expected type scalar in call to function "min_of", got string
        START()  →  1:1: parse error: unknown function with name "START"
        @@  →  1:1: parse error: unexpected <op:@>
        limitk(foo)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        limit_ratio(0.5)  →  1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        limitk(foo, foo)  →  1:8: parse error: expected type scalar in aggregation parameter, got instant vector
        histogram_quantiles(foo, "q")  →  1:1: parse error: expected at least 3 argument(s) in call to "histogram_quantiles", got 2
        histogram_quantiles(foo, 0.5, 0.9)  →  1:26: parse error: expected type string in call to function "histogram_quantiles", got scalar
        start_timestamp(foo[5m])  →  1:17: parse error: expected type instant vector in call to function "start_timestamp", got range vector
        ts_of_max_over_time(foo)  →  1:21: parse error: expected type range vector in call to function "ts_of_max_over_time", got instant vector
        info(foo, {a="b"} == 1)  →  1:11: parse error: expected label selectors only
        info(foo, (foo))  →  1:11: parse error: expected label selectors only
        info(foo, foo[5m])  →  1:1: parse error: expected type instant vector in call to function "info", got range vector
        """#
}
